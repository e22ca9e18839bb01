package lastcall

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// spec is a worker as it was added.
type spec struct {
	name string
	w    Worker
	opt  *options
}

// names are those that the worker takes: that of the member and those of its replicas.
func (s spec) names() []string {
	names := []string{s.name}
	if s.opt.pool != nil {
		for _, name := range s.opt.pool.names() {
			if name != s.name {
				names = append(names, name)
			}
		}
	}
	return names
}

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
	if grace := g.graceOr(len(seen) == 1); g.LameDuck > 0 && grace > 0 && g.LameDuck >= grace {
		problems = append(problems, fmt.Sprintf("%s has a LameDuck of %v, which leaves nothing of its Grace of %v", where, g.LameDuck, grace))
	}
	byName := newIndex(len(specs), func(at int) string { return specs[at].name })
	for i, s := range specs {
		problems = append(problems, s.problems(prefix)...)
		if _, twice := byName.get(s.name); twice && s.name != "" {
			problems = append(problems, fmt.Sprintf("worker %q was added twice", prefix+s.name))
		}
		byName.put(s.name, i)
	}
	problems = append(problems, replicaNames(specs, &byName, prefix)...)
	for _, s := range specs {
		for _, dep := range s.opt.after {
			if _, ok := byName.get(dep); !ok {
				problems = append(problems, fmt.Sprintf("worker %q is to start after %q, which is not in the group", prefix+s.name, dep))
			}
		}
	}
	for _, cycle := range cycles(specs, &byName) {
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

// graceOr is the group's grace period; that of a nested group may be 0, which means what the group around it has left.
func (g *Group) graceOr(root bool) time.Duration {
	if g.Grace == 0 && root {
		return DefaultGrace
	}
	return g.Grace
}

// problems of one spec alone.
func (s spec) problems(prefix string) (problems []string) {
	if s.name == "" {
		problems = append(problems, fmt.Sprintf("a worker of type %T was added with an empty name", s.w))
	}
	if strings.Contains(s.name, "/") {
		problems = append(problems, fmt.Sprintf("worker %q has a slash in its name, which separates a group from its workers", prefix+s.name))
	}
	if s.opt.pool == nil && isNil(s.w) {
		problems = append(problems, fmt.Sprintf("worker %q is nil", prefix+s.name))
	}
	for _, p := range s.opt.problems {
		problems = append(problems, fmt.Sprintf("worker %q: %s", prefix+s.name, p))
	}
	return problems
}

// nestedProblems are those of the group that s is, if it is one.
func (s spec) nestedProblems(seen []*Group, prefix string) []string {
	if p := s.opt.pool; p != nil {
		var problems []string
		for _, one := range p.first {
			replica := spec{name: p.replicaName(one.number, one.w), w: one.w, opt: noOptions}
			if isNil(one.w) {
				problems = append(problems, replica.problems(prefix)...)
			}
			problems = append(problems, replica.nestedProblems(seen, prefix)...)
		}
		return problems
	}
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

// replicaNames names the replicas that have the name of another worker.
func replicaNames(specs []spec, byName *index, prefix string) (problems []string) {
	replicas := map[string]bool{}
	for i, s := range specs {
		if s.opt.pool == nil {
			continue
		}
		for _, name := range s.opt.pool.names() {
			if other, ok := byName.get(name); ok && other != i || replicas[name] {
				problems = append(problems, fmt.Sprintf("worker %q was added twice", prefix+name))
			}
			replicas[name] = true
		}
	}
	return problems
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
func cycles(specs []spec, byName *index) (found [][]string) {
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
			dep, ok := byName.get(name)
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
