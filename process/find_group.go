//go:build unix

package process

import (
	"errors"
	"fmt"
	"syscall"
)

// groupFinder is for systems that give orphans to their init and tell nobody whose they were: the family is the group of the main
// process, and what left that is out of reach. A zombie is a member of its group, so the main process is reaped first.
type groupFinder struct {
	*registry
	list func(pgid int) (alive int, err error) // counts what is alive in a group; errors.ErrUnsupported where the system does not tell
}

// listNothing is for systems that do not tell who is in a group.
func listNothing(int) (int, error) { return 0, errors.ErrUnsupported }

func (p *groupFinder) pass(f *family, _ bool) ([]descendant, bool) {
	p.mu.Lock()
	reaped := f.reaped
	p.mu.Unlock()
	if !reaped { // the main process would be taken for a member
		return nil, true
	}
	group := descendant{pgid: f.mains[0], name: fmt.Sprintf("process group %d", f.mains[0])}
	for { // those of its zombies that this process adopted
		if _, err := p.wait(-group.pgid, syscall.WNOHANG); err != nil {
			break
		}
	}
	if !p.lives(group) {
		return nil, true
	}
	return []descendant{group}, true
}

// lives asks for the members. Where the system does not list them a signal is tried: EPERM says that there are some, on macOS also
// when only zombies are left, which is why it lists them.
func (p *groupFinder) lives(k descendant) bool {
	alive, err := p.list(k.pgid)
	if err == nil {
		return alive > 0
	}
	return !errors.Is(p.kill(-k.pgid, 0), syscall.ESRCH)
}

func (p *groupFinder) reapFirst() bool   { return true }
func (p *groupFinder) remember(*family)  {}
func (p *groupFinder) sweep()            {}
func (p *groupFinder) know(*family, int) {}
func (p *groupFinder) forget(int)        {}
