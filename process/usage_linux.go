package process

import (
	"os"
	"time"
)

// tick is the unit of processor time in /proc, see USER_HZ in time(7): the same on every architecture that Go knows.
const tick = time.Second / 100

var pageSize = uint64(os.Getpagesize())

// Usage is what the main process and all that descend from it use now. It returns os.ErrProcessDone while none runs.
func (p *Process) Usage() (Usage, error) {
	find, ok := here.find().(*procFinder)
	if !ok {
		return Usage{}, errNoProc
	}
	main := p.PID()
	find.mu.Lock()
	defer find.mu.Unlock()
	family := find.registry.mains[main]
	if family == nil {
		return Usage{}, os.ErrProcessDone
	}
	var u Usage
	counted := map[int]bool{}
	add := func(k stat) {
		if !counted[k.pid] {
			counted[k.pid] = true
			u.Processes++
			u.CPU += k.cpu
			u.Memory += k.pages * pageSize
		}
	}
	for pid, f := range find.registry.mains {
		if f == family {
			descend(find.proc, pid, add)
		}
	}
	for pid, o := range find.adoptees {
		if o.family == family {
			descend(find.proc, pid, add)
		}
	}
	if u.Processes == 0 {
		return Usage{}, os.ErrProcessDone
	}
	return u, nil
}
