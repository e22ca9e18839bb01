//go:build unix

package check

import "time"

const (
	// settledFor is how long a ready daemon must be quiet before a scenario begins: its handlers are set up, its workers wait.
	settledFor = 100 * time.Millisecond
	// settledFirst is the same in the first life, and before it is watched in idleness.
	settledFirst = time.Second
	// restlessWithin bounds the wait in later lives of a daemon that was not quiet in an earlier one.
	restlessWithin = 300 * time.Millisecond
	// warmWithin bounds the wait of the scenario idle: a virtual machine may compile for a while after its start.
	warmWithin = 15 * time.Second
)

// settle waits until a ready daemon has settled: it has been quiet for a time (see [quietness]), and has closed the connections of
// this check's own questions. A signal in the same microseconds as the readiness is what the scenario startup sends. A daemon that
// never settles is taken as it is after settledAfter, or starvedAfter on a busy machine; the wait ends early when it exits.
func (l *life) settle(long time.Duration) {
	r := l.r
	if !seesProcesses {
		l.exits(settledFor)
		return
	}
	q := quietness{long: long}
	began, rate := time.Now(), pace{every: readyEvery}
	for {
		var settled, restless bool
		rate.do(func() {
			how := q.saw(time.Since(began), l.threads())
			settled = how != "" && q.quiet && !l.connected()
			restless = how != "" && !settled && time.Since(began) >= settledAfter || r.restless && time.Since(began) >= restlessWithin
		})
		if restless {
			r.restless = true
		}
		if settled || restless {
			return
		}
		select {
		case <-rate.next():
		case <-l.k.exited:
			return
		case <-r.ctx.Done():
			return
		}
	}
}

// warm waits until a daemon rests after its start, for warmWithin at the longest.
func (l *life) warm() {
	q := quietness{long: settledFirst}
	rate := pace{every: readyEvery}
	for began := time.Now(); !q.quiet && time.Since(began) < warmWithin && !l.hasExited() && l.r.ctx.Err() == nil; {
		rate.do(func() { q.saw(time.Since(began), l.threads()) })
		select {
		case <-rate.next():
		case <-l.k.exited:
		case <-l.r.ctx.Done():
		}
	}
}

// threads are those of the daemon's family, without their context switches.
func (l *life) threads() (all []thread) {
	for _, p := range descendants(l.k.pid) {
		for _, tid := range tasksOf(p.PID) {
			if t, ok := lookAtTask(p, tid); ok {
				all = append(all, t)
			}
		}
	}
	return all
}

// connected reports whether a connection to a port where this check asks is still open on the daemon's side.
func (l *life) connected() bool {
	for _, t := range []*target{l.r.url, l.r.slow, l.r.ready.url} {
		if t != nil && t.port() != 0 && connections(l.k.daemon, t.port()) > 0 {
			return true
		}
	}
	return false
}
