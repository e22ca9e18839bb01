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
	main := p.PID()
	families.mu.Lock()
	defer families.mu.Unlock()
	family := families.mains[main]
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
	for pid, f := range families.mains {
		if f == family {
			descend(pid, add)
		}
	}
	for pid, o := range families.orphans {
		if o.family == family {
			descend(pid, add)
		}
	}
	if u.Processes == 0 {
		return Usage{}, os.ErrProcessDone
	}
	return u, nil
}
