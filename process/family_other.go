//go:build unix && !linux && !freebsd

package process

import (
	"errors"
	"fmt"
	"syscall"
)

// adopt is impossible: this system gives orphans to its init, and nobody can tell whose they were. So what left the
// group is out of reach here.
func adopt() bool { return false }

func (f *family) join(pid int) { f.mains = append(f.mains, pid) }
func (f *family) leave()       {}
func (f *family) remember()    {}

// succeed is impossible: one member of a group is like another.
func (f *family) succeed(descendant) (*handle, error) { return nil, errors.ErrUnsupported }

// reapFirst: a zombie is a member of its group, so the main process must not be one when the group is asked for.
func reapFirst() bool { return true }

// others is the group of the main process as a whole, while somebody is in it. The main process has been reaped by then.
func (f *family) others(bool) []descendant {
	main := f.mains[0]
	if err := syscall.Kill(-main, 0); errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return []descendant{{pgid: main, name: fmt.Sprintf("process group %d", main)}}
}

// open is impossible for a group.
func (k descendant) open() (*handle, error) { return nil, errors.ErrUnsupported }

// lives: a group has no number of a process.
func (k descendant) lives() bool { return false }
