package lastcall

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// spec is a worker as it was added.
type spec struct {
	name string
	w    Worker
	opt  *options
}

// A layer is the workers of a group that start and stop at the same moment: they depend on the same workers and the same
// workers depend on them. All order is between layers, so that it costs nothing per worker. Workers that can be stopped
// alone, because they restart, restart with others, or were added with [Alone], have a layer of their own.
type layer struct {
	run       *run
	members   []member
	deps      []edge     // layers that this one starts after and stops before
	users     []edge     // the reverse: layers that start after this one
	height    int        // length of the longest chain of layers below: those that are told to stop after this one
	moment    *moment    // of the present start
	counts    counts     // what the layer waits for
	started   bool       // it has been started at least once
	up        bool       // its workers' functions run
	ready     bool       // all its workers are ready, or were and still run
	wasReady  bool       // so they were once
	told      bool       // the soft stop of the present start began
	cut       bool       // so did its hard stop
	over      bool       // no worker of it will ever run again
	recycle   *StopCause // why it is stopped, or kept stopped, alone: a layer that it requires restarts, say; nil otherwise
	again     bool       // it is recycled because somebody asked: it starts again however it ended
	held      bool       // it was asked to stop, and is not started before it is asked to
	place     int        // those that stand beside each other have the same
	retired   bool       // it was removed or replaced: when it is over it is forgotten
	replaces  *layer     // the one whose place this one is to take once it is ready
	candidate *layer     // the reverse
	toldAt    int64      // when told, in the run's time
	cutAt     int64      // when cut
	cause     *StopCause // of the soft stop, then of the hard stop
	softCause *StopCause // of the soft stop
	ending    *deadline  // the hard stop, then the end of waiting
}

// edge is a dependency between layers.
type edge struct {
	to       *layer
	requires bool // restart together
}

// waits reports whether the layer that e leads to, a user, waits for the readiness of the layer that e is from.
func (e edge) waits() bool { return e.requires || !e.to.started }

// check finds everything that is wrong with a group that has these specs, and with the groups in it. seen are the
// groups around it, prefix is its path with a slash.
func (g *Group) check(specs []spec, seen []*Group, prefix string) (problems []string) {
	seen = append(seen, g)
	where := "the group"
	if prefix != "" {
		where = fmt.Sprintf("group %q", strings.TrimSuffix(prefix, "/"))
	}
	for _, limit := range []struct {
		name  string
		value int64
	}{{"Grace", int64(g.Grace)}, {"HardStop", int64(g.HardStop)}, {"LameDuck", int64(g.LameDuck)}} {
		if limit.value < 0 {
			problems = append(problems, fmt.Sprintf("%s has a negative %s", where, limit.name))
		}
	}
	specs = withBesides(specs)
	byName := make(map[string]int, len(specs))
	for i, s := range specs {
		problems = append(problems, s.problems(prefix)...)
		if _, twice := byName[s.name]; twice && s.name != "" {
			problems = append(problems, fmt.Sprintf("worker %q was added twice", prefix+s.name))
		}
		byName[s.name] = i
	}
	for _, s := range specs {
		for _, dep := range s.opt.after {
			if _, ok := byName[dep]; !ok {
				problems = append(problems, fmt.Sprintf("worker %q is to start after %q, which is not in the group", prefix+s.name, dep))
			}
		}
	}
	for _, s := range specs {
		at, ok, steps := s, true, 0
		for ; at.opt.beside != "" && ok && steps < len(specs); steps++ {
			var i int
			if i, ok = byName[at.opt.beside]; ok {
				at = specs[i]
			}
		}
		switch {
		case !ok && steps == 1:
			problems = append(problems, besideWhom(prefix, s))
		case ok && steps == len(specs) && steps > 0:
			problems = append(problems, fmt.Sprintf("worker %q is to be beside itself", prefix+s.name))
		}
	}
	for _, cycle := range cycles(specs, byName) {
		for i := range cycle {
			cycle[i] = prefix + cycle[i]
		}
		problems = append(problems, "workers depend on each other: "+strings.Join(cycle, " → "))
	}
	for _, s := range specs {
		problems = append(problems, s.nestedProblems(seen, prefix)...)
	}
	return problems
}

// problems of one spec alone.
func (s spec) problems(prefix string) (problems []string) {
	name := fmt.Sprintf("worker %q", prefix+s.name)
	if s.name == "" {
		problems = append(problems, fmt.Sprintf("a worker of type %T was added with an empty name", s.w))
	}
	if strings.Contains(s.name, "/") {
		problems = append(problems, name+" has a slash in its name, which separates a group from its workers")
	}
	if isNil(s.w) {
		problems = append(problems, name+" is nil")
	}
	for _, p := range s.opt.problems {
		problems = append(problems, name+": "+p)
	}
	return problems
}

// nestedProblems are those of the group that s is, if it is one.
func (s spec) nestedProblems(seen []*Group, prefix string) []string {
	nested, ok := s.w.(*Group)
	switch {
	case !ok || nested == nil:
		return nil
	case slices.Contains(seen, nested):
		return []string{fmt.Sprintf("group %q contains itself", prefix+s.name)}
	}
	nested.mu.Lock()
	specs := slices.Clone(nested.specs)
	nested.mu.Unlock()
	return nested.check(specs, seen, prefix+s.name+"/")
}

// isNil sees also the nil Func and the nil Group, which would only fail when they are run.
func isNil(w Worker) bool {
	switch w := w.(type) {
	case nil:
		return true
	case Func:
		return w == nil
	case *Group:
		return w == nil
	}
	return false
}

// cycles finds the dependency cycles, each as the names along it with the first one again at the end.
func cycles(specs []spec, byName map[string]int) (found [][]string) {
	const (
		unseen = iota
		open
		done
	)
	marks := make([]uint8, len(specs))
	var path []int
	var visit func(i int)
	visit = func(i int) {
		marks[i] = open
		path = append(path, i)
		for _, name := range specs[i].opt.after {
			dep, ok := byName[name]
			switch {
			case !ok || marks[dep] == done:
			case marks[dep] == unseen:
				visit(dep)
			default:
				var cycle []string
				for _, j := range path[slices.Index(path, dep):] {
					cycle = append(cycle, specs[j].name)
				}
				found = append(found, append(cycle, specs[dep].name))
			}
		}
		path = path[:len(path)-1]
		marks[i] = done
	}
	for i := range specs {
		if marks[i] == unseen && len(specs[i].opt.after) > 0 {
			visit(i)
		}
	}
	return found
}

// layersOf sorts checked specs into layers, in the order in which the layers' first workers were added.
func (r *run) layersOf(specs []spec) []*layer {
	byName := make(map[string]int, len(specs))
	for i, s := range specs {
		byName[s.name] = i
	}
	deps := make([][]int, len(specs))  // what i depends on
	users := make([][]int, len(specs)) // what depends on i
	alone := make([]bool, len(specs))
	for i, s := range specs {
		for _, name := range s.opt.after {
			dep := byName[name]
			deps[i] = append(deps[i], dep)
			users[dep] = append(users[dep], i)
		}
		for _, name := range s.opt.requires {
			alone[byName[name]] = true
		}
		if s.opt.ownLayer() {
			alone[i] = true
		}
	}

	layerOf := make([]int, len(specs))
	sizes := []int(nil)
	byKey := map[string]int{}
	var key []byte
	for i, s := range specs {
		key = key[:0]
		if alone[i] {
			key = binary.AppendVarint(key, -int64(i)-1)
		} else {
			slices.Sort(deps[i])
			for _, list := range [][]int{deps[i], users[i]} { // users are sorted: they were appended in order
				key = binary.AppendUvarint(key, uint64(len(list)))
				for _, j := range list {
					key = binary.AppendUvarint(key, uint64(j))
				}
			}
			key = binary.AppendVarint(key, int64(s.opt.stopWithin))
		}
		l, ok := byKey[string(key)]
		if !ok {
			l = len(sizes)
			byKey[string(key)] = l
			sizes = append(sizes, 0)
		}
		layerOf[i] = l
		sizes[l]++
	}

	layers := make([]*layer, len(sizes))
	members := make([]member, len(specs))
	first := make([]int, len(sizes))
	for at, l := 0, 0; l < len(sizes); l++ {
		layers[l] = &layer{run: r, members: members[at : at : at+sizes[l]]}
		first[l] = -1
		at += sizes[l]
	}
	for i, s := range specs {
		l := layers[layerOf[i]]
		l.members = append(l.members, member{})
		l.members[len(l.members)-1].init(l, s)
		if first[layerOf[i]] < 0 {
			first[layerOf[i]] = i
		}
	}
	for i, l := range layers { // one member's dependencies are those of all
		l.counts.init(len(l.members))
		linked := map[*layer]bool{}
		for _, dep := range deps[first[i]] {
			if to := layers[layerOf[dep]]; !linked[to] {
				linked[to] = true
				requires := slices.Contains(specs[first[i]].opt.requires, specs[dep].name)
				l.dependsOn(to, requires)
			}
		}
	}
	for _, l := range layers {
		r.places++
		l.place = r.places
	}
	for i, s := range specs {
		for s.opt.beside != "" {
			s = specs[byName[s.opt.beside]]
		}
		layers[layerOf[i]].place = layers[layerOf[byName[s.name]]].place
	}
	return layers
}

// dependsOn links two layers.
func (l *layer) dependsOn(to *layer, requires bool) {
	l.deps = append(l.deps, edge{to, requires})
	user := edge{l, requires}
	to.users = append(to.users, user)
	if !to.ready && user.waits() {
		l.counts.unreadyDeps++
	}
	if !l.over {
		to.counts.users++
	}
}

// unlink takes out a layer that is to be forgotten, on both sides of every edge, with what the edges count for. The other
// layers get new lists, since their old ones may be under iteration.
func (l *layer) unlink() {
	is := func(e edge) bool { return e.to == l }
	for _, dep := range l.deps {
		dep.to.users = slices.DeleteFunc(slices.Clone(dep.to.users), is)
		if !l.over {
			dep.to.counts.users--
		}
	}
	for _, user := range l.users {
		user.to.deps = slices.DeleteFunc(slices.Clone(user.to.deps), is)
		if !l.ready && user.waits() {
			user.to.counts.unreadyDeps--
		}
	}
	l.deps, l.users, l.counts.users, l.counts.unreadyDeps = nil, nil, 0, 0
}

// inherit makes what depends on old depend on l, which is not ready and has no users yet. Old is not ready any more.
func (l *layer) inherit(old *layer) {
	l.users, old.users, old.counts.users = old.users, nil, 0
	for _, user := range l.users {
		for i := range user.to.deps {
			if user.to.deps[i].to == old {
				user.to.deps[i].to = l
			}
		}
		if !user.to.over {
			l.counts.users++
		}
	}
}

// measure sets the layers' heights.
func (r *run) measure() {
	missing := make(map[*layer]int, len(r.layers))
	var free []*layer
	for _, l := range r.layers {
		missing[l] = len(l.deps)
		if len(l.deps) == 0 {
			free = append(free, l)
		}
	}
	for len(free) > 0 {
		l := free[len(free)-1]
		free = free[:len(free)-1]
		r.highest = max(r.highest, l.height)
		for _, user := range l.users {
			user.to.height = max(user.to.height, l.height+1)
			if missing[user.to]--; missing[user.to] == 0 {
				free = append(free, user.to)
			}
		}
	}
}
