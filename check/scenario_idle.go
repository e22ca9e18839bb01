//go:build unix

package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// idleWindows is how many parts the time of watching has. A thread that runs in at least idleOften of them wakes up again and
	// again, however fast the machine is; one that runs in fewer has had something to do, which may lie across the border of two.
	idleWindows = 5
	idleOften   = 3
	// quickIdle is the time of watching in a quick check: in so many seconds a thread that looks every second runs in idleOften
	// windows, also if its seconds are somewhat longer.
	quickIdle = 5 * time.Second
	// callsEvery is how often it is looked what the threads sleep in.
	callsEvery = 50 * time.Millisecond
)

type threadID struct{ pid, tid int }

// waker is a thread that was seen to run.
type waker struct {
	thread
	windows  int
	switches uint64
	cpu      time.Duration
}

var idleScenario = Scenario{
	Name:  "idle",
	Means: "a daemon with nothing to do costs nothing",
	Does:  "watches every thread while there are no requests",
	Fails: "it ends by itself; warn: a thread wakes up again and again",
	Needs: "the counts of context switches that Linux shows",
	play:  playIdle,
}

// playIdle watches the threads of a daemon that has nothing to do.
func playIdle(r *runner) {
	if !seesProcesses {
		r.skip("this system does not show an ordinary user how often a thread wakes up")
		return
	}
	l, ok := r.begin()
	if !ok {
		return
	}
	defer l.end()
	r.say("watching it for %v", r.Idle)
	l.warm()
	wakers := map[threadID]*waker{}
	before := map[threadID]thread{}
	fresh := map[string]int{} // windows in which a process came, by its name
	for i := range idleWindows + 1 {
		now := map[threadID]thread{}
		came := map[string]int{}
		for _, t := range threadsOf(descendants(l.k.pid)) {
			id := threadID{t.PID, t.TID}
			now[id] = t
			old, known := before[id]
			if !known {
				old = thread{} // it is new: all that it has done is of this window
				if t.TID == t.PID {
					came[t.Process] = 1
				}
			}
			if i == 0 || t.Switches == old.Switches {
				continue
			}
			w := wakers[id]
			if w == nil {
				w = &waker{}
				wakers[id] = w
			}
			w.thread = t
			w.windows++
			w.switches += t.Switches - old.Switches
			w.cpu += t.CPU - old.CPU
		}
		before = now
		for name := range came {
			if i > 0 {
				fresh[name]++
			}
		}
		if i < idleWindows && l.exits(r.Idle/idleWindows) {
			l.end()
			r.fact("ended after", ms(l.k.ended.Sub(l.k.started)), "ms", "from exec")
			r.fail(codeEndsIdle, "ended while it had nothing to do: "+statusText(l.k.status)+said(l.out.last(300)), "Nobody asked it to.")
			return
		}
		if r.ctx.Err() != nil {
			return
		}
	}
	r.judgeIdle(l, wakers, fresh)
	late, err := l.reconsider()
	if err != nil {
		r.failed(err)
		return
	}
	if o := l.stop(r.Signal); late {
		r.usual = o
	}
}

func (r *runner) judgeIdle(l *life, wakers map[threadID]*waker, fresh map[string]int) {
	var total uint64
	var cpu time.Duration
	var periodic []*waker
	for _, w := range wakers {
		total += w.switches
		cpu += w.cpu
		if w.windows >= idleOften {
			periodic = append(periodic, w)
		}
	}
	seconds := r.Idle.Seconds()
	hour := time.Duration(float64(cpu) / seconds * 3600).Round(time.Millisecond)
	r.fact("wake-ups", float64(total)/seconds, "/s", "of all threads: the context switches that they made")
	r.fact("CPU", float64(hour)/1e6, "ms/h", "")
	slices.SortFunc(periodic, func(a, b *waker) int {
		return cmp.Or(cmp.Compare(b.switches, a.switches), cmp.Compare(a.TID, b.TID))
	})
	calls := l.callsOf(periodic)
	for _, w := range periodic {
		r.fact("wake-ups of a thread", float64(w.switches)/seconds, "/s", w.describe(calls[threadID{w.PID, w.TID}]))
	}
	// A shell that calls sleep again and again has a new process each time.
	for name, n := range fresh {
		if n >= idleOften {
			r.fact("processes that come and go", float64(n)/seconds, "/s", name)
			if len(periodic) == 0 {
				periodic = append(periodic, &waker{thread: thread{Name: name, Process: name}, switches: uint64(n)})
			}
		}
	}
	if len(periodic) == 0 {
		r.pass("no thread wakes up again and again; %.2g wake-ups a second, %v of CPU an hour", float64(total)/seconds, hour)
		return
	}
	w := periodic[0]
	r.warn(codeWakesUp, fmt.Sprintf("%s wakes up %.2g times a second with nothing to do; %v of CPU an hour", w.describe(calls[threadID{w.PID, w.TID}]), float64(w.switches)/seconds, hour),
		"Wait for the event itself (a condition, a descriptor, a timer that is due) instead of looking for it again and again.")
}

func (w *waker) describe(call string) string {
	text := fmt.Sprintf("thread %s[%d]", w.Name, w.TID)
	if w.TID == 0 {
		text = "process " + w.Name
	} else if w.TID == w.PID {
		text = fmt.Sprintf("the main thread of %s[%d]", w.Process, w.PID)
	}
	if call != "" {
		text += ", asleep in " + call
	}
	return text
}

// callsOf is what threads sleep in, as seen most often in a second.
func (l *life) callsOf(list []*waker) map[threadID]string {
	seen := map[threadID]map[string]int{}
	if len(list) == 0 {
		return nil
	}
	for limit := time.Now().Add(time.Second); time.Now().Before(limit); {
		for _, w := range list {
			id := threadID{w.PID, w.TID}
			if call := callOf(w.PID, w.TID); call != "" {
				if seen[id] == nil {
					seen[id] = map[string]int{}
				}
				seen[id][call]++
			}
		}
		if l.exits(callsEvery) || l.r.ctx.Err() != nil {
			break
		}
	}
	most := map[threadID]string{}
	for id, calls := range seen {
		for call, n := range calls {
			if best := most[id]; n > calls[best] || n == calls[best] && strings.Compare(call, best) < 0 {
				most[id] = call
			}
		}
	}
	return most
}
