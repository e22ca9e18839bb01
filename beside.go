package lastcall

import (
	"fmt"
	"slices"
)

// withBesides has what depends on a worker depend as well on those that were added beside it.
func withBesides(specs []spec) []spec {
	beside := map[string][]string{}
	for _, s := range specs {
		if of := s.opt.beside; of != "" {
			beside[of] = append(beside[of], s.name)
		}
	}
	if len(beside) == 0 {
		return specs
	}
	specs = slices.Clone(specs)
	for i := range specs {
		s := &specs[i]
		has := map[string]bool{s.name: true} // what it depends on, and itself
		for _, name := range s.opt.after {
			has[name] = true
		}
		for at := 0; at < len(s.opt.after); at++ { // the list grows
			for _, name := range beside[s.opt.after[at]] {
				if !has[name] {
					has[name] = true
					s.opt = s.opt.dependingOn(name, s.opt.after[at])
				}
			}
		}
	}
	return specs
}

// dependingOn is a copy of the options with a dependency on name that is as the one on like.
func (o *options) dependingOn(name, like string) *options {
	more := *o
	more.after, more.requires = slices.Clone(o.after), slices.Clone(o.requires)
	if slices.Contains(o.requires, like) {
		Requires(name)(&more)
	} else {
		After(name)(&more)
	}
	return &more
}

// besideProblems is what is wrong with the place that a worker asks for.
func (r *run) besideProblems(s spec) []string {
	if s.opt.beside == "" {
		return nil
	}
	at := r.index()[s.opt.beside]
	if at == nil {
		return []string{besideWhom(r.prefix, s)}
	}
	for _, name := range s.opt.after {
		m := r.byName[name]
		if m != nil && m.layer.dependsOnLayer(at.layer) {
			return []string{fmt.Sprintf("worker %q cannot start after %q, which depends on what it is beside", r.prefix+s.name, r.prefix+name)}
		}
	}
	return nil
}

func besideWhom(prefix string, s spec) string {
	return fmt.Sprintf("worker %q is to be beside %q, which is not in the group", prefix+s.name, s.opt.beside)
}

// standBeside has what depends on the layer of the named worker depend on l as well, which is new.
func (r *run) standBeside(l *layer, name string) {
	m, of := &l.members[0], r.byName[name].layer
	l.place = of.place
	for _, edge := range of.users {
		user := edge.to
		if user == l {
			continue
		}
		user.dependsOn(l, edge.requires)
		for i := range user.members {
			if o := user.members[i].options(); slices.Contains(o.after, name) {
				user.members[i].more().opt = o.dependingOn(m.name, name)
			}
		}
	}
	r.measure()
}

// hasCompanion reports whether another worker has the same place as l.
func (r *run) hasCompanion(l *layer) bool {
	return slices.ContainsFunc(r.layers, func(other *layer) bool {
		return other != l && other.place == l.place && !other.retired && other.replaces == nil
	})
}
