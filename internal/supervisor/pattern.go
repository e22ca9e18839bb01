//go:build unix

package supervisor

import (
	"slices"

	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

// inFile are names, with those of processes and instances for each pattern, also of processes that were left out until now.
func (s *Supervisor) inFile(names []string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.knownLocked()
	for _, p := range s.file.Processes {
		if !slices.Contains(known, p.Name) {
			known = append(known, p.Name)
		}
	}
	return control.Match(names, known, "ps")
}

// written are the names of the outputs that names and patterns mean.
func (s *Supervisor) written(names []string) (list []string, err error) {
	if _, err := s.targets(names); err != nil {
		return nil, err
	}
	if names, err = s.inFile(names); err != nil {
		return nil, err
	}
	for _, name := range names {
		list = append(list, name, name+errorsSuffix)
	}
	return list, nil
}
