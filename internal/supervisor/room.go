//go:build unix

package supervisor

import (
	"fmt"
	"runtime"
	"syscall"

	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/text"
)

// spareDescriptors are not given to instances: starts, probes, clients of the control socket and the stop need some for a moment.
const spareDescriptors = 32

// need is what instances that do not exist yet will hold for as long as they run.
type need struct {
	names       string // of their processes, for the message
	instances   int
	descriptors int
	own         int // of the instances, those that run as the user of this process
}

// add counts so many more instances of a process.
func (n *need) add(d *definition, more int) {
	if more <= 0 {
		return
	}
	if n.names != "" {
		n.names += ", "
	}
	n.names += d.Name
	n.instances += more
	n.descriptors += more * d.descriptors()
	if d.sys == nil {
		n.own += more
	}
}

// descriptors are how many of this process's one running instance holds.
func (d *definition) descriptors() (n int) {
	hold := func(is bool, more int) {
		if is {
			n += more
		}
	}
	hold(runtime.GOOS == "linux", 1)       // its pidfd
	hold(!d.Log.Inherit && !d.Log.None, 2) // both ends of its output's pipe
	hold(d.Log.None, 1)                    // the null device
	hold(d.Notify || d.ready.Notify || d.Watchdog > 0, 1)
	hold(d.ready.Log != nil, 1)
	hold(d.ready.FD != 0, 1)
	return n
}

// fits is nil if the system has room for them, as far as it tells. Otherwise it says which limit there is, and nothing has been touched.
func (n need) fits() error {
	if n.instances == 0 {
		return nil
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil {
		if err := n.within("file descriptors", n.descriptors, int64(limit.Cur)-int64(openDescriptors())-spareDescriptors,
			fmt.Sprintf("RLIMIT_NOFILE is %d, and %d are kept for starts and the stop", limit.Cur, spareDescriptors)); err != nil {
			return err
		}
	}
	for _, l := range processLimits() {
		count := n.instances
		if l.ofUser {
			count = n.own
		}
		if err := n.within("processes", count, l.max-l.used, fmt.Sprintf("%s is %d", l.name, l.max)); err != nil {
			return err
		}
	}
	return nil
}

// within compares what is needed with what is left.
func (n need) within(what string, needed int, left int64, limit string) error {
	left = max(left, 0)
	if int64(needed) <= left {
		return nil
	}
	return &control.Error{Kind: control.KindStart, Text: fmt.Sprintf("%s: no room for %s more, only for %d: they need %d %s, and %d are left (%s)",
		n.names, text.Count(n.instances, "instance"), int64(n.instances)*left/int64(needed), needed, what, left, limit)}
}

// processLimit is a limit of the number of processes, each of whose threads counts.
type processLimit struct {
	name      string
	max, used int64
	ofUser    bool // it counts only what runs as the user of this process
}
