package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/nearest"
)

// resolve makes processes of the drafts: those of the chosen profiles, with what they say of each other.
func (r *reader) resolve(doc *document, file *source, profiles []string) {
	all := make(map[string]*draft, len(doc.processes))
	for _, d := range doc.processes {
		if first, ok := all[d.Name]; ok {
			r.wrong(d.at, "", "duplicate process %q, first defined in %s, line %d", d.Name, first.at.file.shown, first.at.line)
			continue
		}
		all[d.Name] = d
	}
	for _, d := range doc.processes {
		if base, number, ok := instanceOf(d.Name); ok && all[base] != nil && all[base].Instances > 1 {
			r.wrong(d.at, "", "the name %q is that of instance %s of process %q", d.Name, number, base)
		}
	}
	chosen := r.choose(doc, file, profiles)
	sockets := make(map[Listener]string)
	for _, d := range chosen {
		d.Requires = r.names(d, "requires", d.requires, all, chosen)
		var ready, ended []reference
		for _, dep := range d.after {
			if dep.ended {
				ended = append(ended, dep.reference)
			} else {
				ready = append(ready, dep.reference)
			}
		}
		d.After = slices.DeleteFunc(r.names(d, "after", ready, all, chosen), func(name string) bool {
			return slices.Contains(d.Requires, name)
		})
		if len(d.After) == 0 {
			d.After = nil
		}
		d.AfterEnd = r.names(d, "after", ended, all, chosen)
		r.canEnd(d, ended, all)
		r.process = d.Name
		for _, s := range d.ports {
			where := Listener{Network: s.Network, Address: s.Address}
			if other, ok := sockets[where]; ok && s.Address != "" && !strings.HasSuffix(s.Address, ":0") {
				r.wrongf(s.at, "listen: %s is already taken by %s", s.Address, other)
			}
			sockets[where] = d.Name
		}
		r.process = ""
		p := d.Process // not the one in the draft, which holds on to the text
		doc.Processes = append(doc.Processes, &p)
	}
	grace := doc.Grace
	if grace == 0 {
		grace = lastcall.DefaultGrace
	}
	if doc.LameDuck > 0 && doc.LameDuck >= grace {
		r.wrong(doc.lameDuckAt, "", "lame_duck: %v must be shorter than the grace period of %v", doc.LameDuck, grace)
	}
	switch {
	case len(r.problems) > 0 || len(chosen) > 0:
	case len(doc.processes) == 0:
		r.wrong(position{file: file}, "", "the file has no processes")
	default:
		r.wrong(position{file: file}, "", "every process belongs to a profile, and none is chosen (choose one with --profile)")
	}
	r.cycles(chosen)
}

// scale sets numbers of instances in place of those in the file.
func (r *reader) scale(doc *document, file *source, instances map[string]int) {
	known := make([]string, len(doc.processes))
	for i, d := range doc.processes {
		known[i] = d.Name
		n, ok := instances[d.Name]
		switch {
		case !ok:
		case d.Schedule != "" && n != 1:
			r.wrong(d.at, "", "%s: a process with a schedule has one instance, not %d", d.Name, n)
		default:
			d.Instances = n
		}
	}
	for _, name := range slices.Sorted(maps.Keys(instances)) {
		if !slices.Contains(known, name) {
			r.wrong(position{file: file}, nearest.To(name, known), "there is no process %q", name)
		}
	}
}

// instanceOf splits web-2.
func instanceOf(name string) (base, number string, ok bool) {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 || i == len(name)-1 || strings.Trim(name[i+1:], "0123456789") != "" {
		return "", "", false
	}
	return name[:i], name[i+1:], true
}

// choose is the processes that are of no profile, or of a chosen one.
func (r *reader) choose(doc *document, file *source, profiles []string) []*draft {
	var known []string
	var chosen []*draft
	for _, d := range doc.processes {
		known = append(known, d.Profiles...)
		if len(d.Profiles) == 0 || slices.ContainsFunc(d.Profiles, func(p string) bool { return slices.Contains(profiles, p) }) {
			chosen = append(chosen, d)
		}
	}
	for _, p := range profiles {
		if !slices.Contains(known, p) {
			r.wrong(position{file: file}, nearest.To(p, known), "no process has the profile %q", p)
		}
	}
	return chosen
}

// names are those of the processes that d refers to, each once, without those that no chosen profile has.
func (r *reader) names(d *draft, key string, refs []reference, all map[string]*draft, chosen []*draft) []string {
	r.process, r.path = d.Name, []string{key}
	defer func() { r.process, r.path = "", nil }()
	var names []string
	for _, ref := range refs {
		other, ok := all[ref.name]
		if !ok && len(r.problems) >= maxProblems {
			r.left++
			continue
		}
		switch {
		case ref.name == "" || slices.Contains(names, ref.name):
		case !ok:
			known := make([]string, 0, len(all))
			for name := range all {
				known = append(known, name)
			}
			slices.Sort(known)
			r.wrongValue(ref.at, &hint{fmt.Sprintf("there is no process %q", ref.name), nearest.To(ref.name, known)})
		case other == d:
			r.wrongf(ref.at, "a process cannot come after itself")
		case !slices.Contains(chosen, other):
			if key == "requires" {
				r.wrongf(ref.at, "%s does not run without the profile %s", ref.name, list(other.Profiles, "or"))
			}
		default:
			names = append(names, ref.name)
		}
	}
	return names
}

// canEnd looks for dependencies on the end of processes that never end.
func (r *reader) canEnd(d *draft, ended []reference, all map[string]*draft) {
	r.process, r.path = d.Name, []string{"after"}
	defer func() { r.process, r.path = "", nil }()
	for _, ref := range ended {
		other := all[ref.name]
		switch {
		case other == nil || other == d:
		case slices.Contains(d.After, ref.name) || slices.Contains(d.Requires, ref.name):
			r.wrongf(ref.at, "%s is awaited twice: until it is ready, and until it has ended", ref.name)
		case other.Restart.When == "always" || other.Schedule != "":
			r.wrongf(ref.at, "%s never ends for good, because it is started again", ref.name)
		case other.OnExit == OnExitEssential:
			r.wrongf(ref.at, "the end of %s stops everything, because it is essential", ref.name)
		}
	}
}

// cycles looks for processes that wait for each other.
func (r *reader) cycles(drafts []*draft) {
	const (
		unseen = iota
		open
		done
	)
	byName := make(map[string]*draft, len(drafts))
	for _, d := range drafts {
		byName[d.Name] = d
	}
	state := make(map[string]int, len(drafts))
	var chain []string
	var visit func(d *draft)
	visit = func(d *draft) {
		state[d.Name] = open
		chain = append(chain, d.Name)
		refs := slices.Clone(d.requires)
		for _, dep := range d.after {
			refs = append(refs, dep.reference)
		}
		for _, ref := range refs {
			other := byName[ref.name]
			switch {
			case other == nil || other == d || state[ref.name] == done:
			case state[ref.name] == unseen:
				visit(other)
			default:
				cycle := chain[slices.Index(chain, ref.name):]
				if len(cycle) > maxCycle {
					cycle = append(slices.Clone(cycle[:maxCycle]), fmt.Sprintf("%d more", len(cycle)-maxCycle))
				}
				r.wrong(ref.at, "", "dependency cycle: %s after %s", strings.Join(cycle, " after "), ref.name)
			}
		}
		chain = chain[:len(chain)-1]
		state[d.Name] = done
	}
	for _, d := range drafts {
		if state[d.Name] == unseen {
			visit(d)
		}
	}
}
