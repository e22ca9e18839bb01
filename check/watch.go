//go:build unix

package check

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// watch looks at threads and descendants until the function that it returns is called, and notes those that end.
func (l *life) watch() (stop func()) {
	if !seesProcesses {
		return func() {}
	}
	ctx, cancel := context.WithCancel(l.r.ctx)
	var ends []event
	unnamed := 0 // of them
	done := make(chan struct{})
	go func() {
		defer close(done)
		rate := pace{every: threadsEvery}
		var procs, threads map[int]string
		rate.do(func() { procs, threads = l.present(nil) })
		for {
			select {
			case <-ctx.Done():
				return
			case <-l.k.exited:
				return
			case <-rate.next():
			}
			var procsNow, threadsNow map[int]string
			rate.do(func() { procsNow, threadsNow = l.present(threads) })
			now := time.Now()
			for pid, name := range procs {
				if _, there := procsNow[pid]; !there && pid != l.k.daemon {
					ends = append(ends, event{now, KindChild, fmt.Sprintf("%s[%d]", name, pid)})
				}
			}
			for tid, name := range threads {
				if _, there := threadsNow[tid]; !there && tid != l.k.daemon {
					ends = append(ends, event{now, KindThread, fmt.Sprintf("%s[%d]", name, tid)})
				}
			}
			procs, threads = procsNow, threadsNow
			if len(ends) > mostEnds {
				unnamed += len(ends) - mostEnds
				ends = ends[:mostEnds]
			}
		}
	}()
	return func() {
		cancel()
		<-done
		if unnamed > 0 {
			ends = append(ends, event{ends[mostEnds-1].at, KindChild, fmt.Sprintf("and %d more threads and descendants", unnamed)})
		}
		l.moments = append(l.moments, ends...)
	}
}

// present are the names of the daemon's processes and of the daemon's own threads. Those of known threads are not read again.
func (l *life) present(known map[int]string) (procs, threads map[int]string) {
	procs, threads = map[int]string{}, map[int]string{}
	for _, p := range descendants(l.k.pid) {
		if !p.Zombie {
			procs[p.PID] = p.Name
		}
	}
	if _, there := procs[l.k.daemon]; there {
		for _, tid := range tasksOf(l.k.daemon) {
			name, ok := known[tid]
			if !ok {
				name = taskName(l.k.daemon, tid)
			}
			threads[tid] = name
		}
	}
	return procs, threads
}

// outlived are the command lines of descendants that are there after the daemon's end, and do not go.
func (l *life) outlived() (list []string) {
	if !seesProcesses {
		return nil
	}
	rate := pace{every: threadsEvery}
	for began := time.Now(); ; {
		list = nil
		known, busy := true, false
		rate.do(func() {
			for _, p := range descendants(l.k.pid) {
				if p.Zombie || len(list) >= mostLeft {
					continue
				}
				if command := commandLine(p.PID); command != "" { // empty once it is about to end
					list = append(list, command)
					known = known && l.r.knownToStay(command)
					t, _ := lookAtTask(p, p.PID)
					busy = busy || t.busy()
				}
			}
		})
		waited := time.Since(began)
		if len(list) > 0 && (!busy && (known || waited > leftWithin) || waited > busyWithin) || l.r.ctx.Err() != nil {
			break
		}
		select {
		case <-l.k.alone: // the guard has buried the last
			return nil
		case <-l.r.ctx.Done():
		case <-rate.next():
		}
	}
	slices.Sort(list)
	for _, command := range list {
		l.r.left = append(l.r.left, leftOver{l.r.playing(), command})
	}
	return list
}

// knownToStay reports whether such a descendant has outlived an earlier life.
func (r *runner) knownToStay(command string) bool {
	return slices.ContainsFunc(r.left, func(l leftOver) bool { return l.command == command })
}
