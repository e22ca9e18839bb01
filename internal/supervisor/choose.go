//go:build unix

package supervisor

import (
	"slices"

	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

// chosen are the processes with these names and what they depend on, nil for all.
func chosen(file *config.File, names []string) (map[string]bool, error) {
	if len(names) == 0 {
		return nil, nil
	}
	byName := map[string]*config.Process{}
	var known []string
	for _, p := range file.Processes {
		byName[p.Name] = p
		known = append(known, p.Name)
	}
	all := map[string]bool{}
	var choose func(name string)
	choose = func(name string) {
		if p := byName[name]; p != nil && !all[name] {
			all[name] = true
			for _, dep := range slices.Concat(p.After, p.Requires, p.AfterEnd) {
				choose(dep)
			}
		}
	}
	names, err := control.Match(names, known, "config")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if byName[name] == nil {
			return nil, control.Unknown(name, known, "config")
		}
		choose(name)
	}
	return all, nil
}

// wanted are the processes of a file that are to run.
func (s *Supervisor) wanted(file *config.File) (list []*config.Process) {
	for _, p := range file.Processes {
		if s.chosen == nil || s.chosen[p.Name] {
			list = append(list, p)
		}
	}
	return list
}

// defineAll makes processes of a file ready to run. Those that run already keep their names.
func (s *Supervisor) defineAll(list []*config.Process) (defs []*definition, err error) {
	for _, p := range list {
		numbered := p.Instances > 1
		s.mu.Lock()
		if running := s.programs[p.Name]; running != nil {
			numbered = running.def.numbered
		}
		s.mu.Unlock()
		d, err := define(p, numbered)
		if err != nil {
			return nil, err
		}
		defs = append(defs, d)
	}
	return defs, nil
}

// members are those of these processes that are in the group.
func (s *Supervisor) members(names []string) (members []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if s.programs[name] != nil {
			members = append(members, name)
		}
	}
	return members
}
