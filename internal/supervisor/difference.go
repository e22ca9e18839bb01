//go:build unix

package supervisor

import (
	"reflect"
	"slices"

	"github.com/lastcall-go/lastcall/internal/supervisor/config"
)

// difference is what is to be done so that a file runs.
type difference struct {
	added   []*target
	changed []*target       // with their new definitions
	removed []*target       // with their old ones
	later   map[string]bool // the removed that others need until those are replaced
	stop    []*target       // those of changed and removed that are stopped before anything is started
	scaled  map[string]int
}

// differ compares what runs with what is to run.
func (s *Supervisor) differ(file *config.File, defs []*definition) *difference {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &difference{later: map[string]bool{}, scaled: map[string]int{}}
	stays := map[string]bool{}
	for _, def := range defs {
		p := s.programs[def.Name]
		stays[def.Name] = true
		if p == nil {
			d.added = append(d.added, &target{program: &program{name: def.Name, def: def, count: def.Instances, busy: make(chan struct{}, 1)}, def: def, added: true})
			continue
		}
		if def.Instances != p.count {
			d.scaled[p.name] = def.Instances
		}
		was, is := *p.def.Process, *def.Process
		was.Instances = is.Instances // it is scaled
		if !reflect.DeepEqual(was, is) {
			d.changed = append(d.changed, &target{program: p, def: def, instances: slices.Clone(p.instances)})
		}
	}
	going := map[string]bool{}
	for _, p := range s.order {
		if !stays[p.name] {
			going[p.name] = true
			d.removed = append(d.removed, &target{program: p, def: p.def, instances: slices.Clone(p.instances)})
		}
	}
	// What cannot run beside its successor and needs something that goes, goes before that.
	for more := true; more; {
		more = false
		for _, t := range d.changed {
			if going[t.name] || !slices.ContainsFunc(t.program.def.dependencies(), func(dep string) bool { return going[dep] }) {
				continue
			}
			if len(t.instances) > 0 && t.instances[0].rolls() && len(t.def.Listen) > 0 {
				s.needsLocked(t.program, d.later)
				continue
			}
			going[t.name], more = true, true
		}
	}
	for _, t := range slices.Concat(d.removed, d.changed) {
		if going[t.name] && !d.later[t.name] {
			d.stop = append(d.stop, &target{program: t.program, def: t.program.def, instances: t.instances})
		}
	}
	return d
}

// room is nil if the system has room for the instances that a difference adds.
func (s *Supervisor) room(d *difference) error {
	var extra need
	for _, t := range d.added {
		extra.add(t.def, t.def.Instances)
	}
	s.mu.Lock()
	for name, n := range d.scaled {
		p := s.programs[name]
		extra.add(p.def, n-len(p.instances))
	}
	s.mu.Unlock()
	return extra.fits()
}

// needsLocked marks what a process depends on, directly or not.
func (s *Supervisor) needsLocked(p *program, marked map[string]bool) {
	for _, name := range p.def.dependencies() {
		if dep := s.programs[name]; dep != nil && !marked[name] {
			marked[name] = true
			s.needsLocked(dep, marked)
		}
	}
}

// onlyAtStart are the settings of the whole that differ and cannot be changed while it runs.
func onlyAtStart(old, file *config.File) (list []string) {
	for _, setting := range []struct {
		name string
		same bool
	}{
		{"grace", old.Grace == file.Grace}, {"lame_duck", old.LameDuck == file.LameDuck},
		{"socket", old.Socket == file.Socket}, {"log", old.Log == file.Log},
	} {
		if !setting.same {
			list = append(list, setting.name)
		}
	}
	return list
}
