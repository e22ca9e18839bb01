//go:build unix

package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
)

const (
	// loadClients send one request after the other, with loadPause in between, so that some always are under way and some
	// connections always idle.
	loadClients = 8
	loadPause   = 2 * time.Millisecond
	// loadFirst is how many answers each client has on average before the signal comes.
	loadFirst = 5
)

// tally is how requests ended, seen from the signal.
type tally struct {
	mu       sync.Mutex
	told     time.Time
	answered int
	before   int            // of these, ended before the signal
	after    int            // of these, sent after the signal
	refused  int            // nobody listened any more, which is fine
	fivexx   int            // answered so after the signal, by one that did not do so before
	errors   int            // answered with 5xx before the signal
	early    int            // got no whole answer before the signal, though nobody had closed what was idle
	idle     int            // sent after the signal on a connection that had been idle, and lost: the daemon closed it meanwhile
	lost     map[string]int // the others that got no whole answer
	queued   int            // of the rest, on connections that the daemon never accepted: the kernel reset them with the listening socket
	witness  *witness       // of the stop; nil if there is none
	broken   string         // what is no answer at all, the last
	breaks   int            // how many of them
	last     time.Time      // of the answers
	taken    int            // connections on which an answer came
	accept   time.Time      // by when the last of them was there
	first    time.Time      // of those lost
	how      string         // it was lost
}

// add counts one. The signal's time is known from then on.
func (t *tally) add(r rawhttp.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	end := r.Began.Add(r.Took)
	afterwards := !t.told.IsZero() && (r.Sent == 0 && end.After(t.told) || r.Began.Add(r.Sent).After(t.told))
	switch {
	case r.Class == rawhttp.Answered:
		t.answered++
		t.last = end
		if t.told.IsZero() {
			t.before++
		}
		if made := r.Began.Add(r.Sent); !r.Reused {
			t.taken++
			if made.After(t.accept) {
				t.accept = made
			}
		}
		if afterwards {
			t.after++
		}
		switch {
		case r.Status < 500:
		case t.told.IsZero() || !end.After(t.told):
			t.errors++
		case t.errors == 0:
			t.fivexx++
		}
	case r.Class == rawhttp.Broken:
		t.broken = r.Err.Error()
		t.breaks++
	case t.told.IsZero():
		if !r.Reused || r.Class != rawhttp.Reset && r.Class != rawhttp.ClosedWithoutAnswer { // a server may close what is idle
			t.early++
		}
	case !r.Class.Dropped():
		t.refused++
	case r.Reused && afterwards && (r.Class == rawhttp.Reset || r.Class == rawhttp.ClosedWithoutAnswer):
		t.idle++
	case t.neverAccepted(r):
		t.queued++
	default:
		how := t.howLost(r)
		if t.lost == nil {
			t.lost = map[string]int{}
			t.first, t.how = end, how
		}
		t.lost[how]++
	}
}

// neverAccepted reports whether a connection was still in the kernel's queue when the listening socket was closed. The kernel resets
// such connections; it does not close them in an orderly way.
func (t *tally) neverAccepted(r rawhttp.Result) bool {
	return t.witness != nil && (r.Class == rawhttp.ResetInConnect || r.Class == rawhttp.Reset && !r.Reused && !t.witness.saw(r.From))
}

// howLost is the way in words. A connection that is closed in an orderly way had nothing unread: the daemon has read the request. A
// reset says that it has not.
func (t *tally) howLost(r rawhttp.Result) string {
	on := "on a new connection"
	if r.Reused {
		on = "on a connection in use"
	}
	switch {
	case r.Class == rawhttp.CutBody:
		return "cut in the body"
	case r.Class == rawhttp.Timeout:
		return "no answer"
	case r.Class == rawhttp.Reset && t.witness != nil:
		return "accepted and not read, " + on
	case r.Class == rawhttp.Reset:
		return "reset " + on
	case r.Class == rawhttp.ClosedWithoutAnswer:
		return "read and closed without an answer, " + on
	}
	return r.Class.String()
}

// signal sends the stop signal, from which on the requests are counted as sent after it, and what the daemon accepts is watched.
func (t *tally) signal(l *life) {
	w := l.witness()
	t.mu.Lock()
	t.witness = w
	t.mu.Unlock()
	t.tell(time.Now())
	l.signal(l.r.Signal)
}

// tell says when the signal is sent.
func (t *tally) tell(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told = at
}

// sum is how many were lost.
func (t *tally) sum() (n int) {
	for _, count := range t.lost {
		n += count
	}
	return n
}

// merge adds another's counts.
func (t *tally) merge(o *tally) {
	t.answered += o.answered
	t.after += o.after
	t.refused += o.refused
	t.fivexx += o.fivexx
	t.errors += o.errors
	t.early += o.early
	t.breaks += o.breaks
	t.idle += o.idle
	t.queued += o.queued
	if o.broken != "" {
		t.broken = o.broken
	}
	for how, n := range o.lost {
		if t.lost == nil {
			t.lost, t.first, t.how = map[string]int{}, o.first, o.how
		}
		t.lost[how] += n
	}
}

// note puts the last connection, the last answer and the first loss into the life's timeline.
func (t *tally) note(l *life) {
	if !t.accept.IsZero() {
		l.note(t.accept, KindAccept, fmt.Sprintf("the last of %d", t.taken))
	}
	if !t.last.IsZero() {
		l.note(t.last, KindResponse, fmt.Sprintf("the last of %d", t.answered))
	}
	if !t.first.IsZero() {
		l.note(t.first, KindLost, fmt.Sprintf("the first of %d: %s", t.sum(), t.how))
	}
}

// ways are the ways in which they were lost, with how many each where there are several.
func (t *tally) ways() string {
	var list []string
	for _, how := range slices.Sorted(maps.Keys(t.lost)) {
		if len(t.lost) > 1 {
			how = fmt.Sprintf("%d %s", t.lost[how], how)
		}
		list = append(list, how)
	}
	return strings.Join(list, ", ")
}

// requestFacts adds the counts to the evidence.
func (r *runner) requestFacts(t *tally) {
	r.fact("answered", float64(t.answered), "", fmt.Sprintf("%d of them sent after the signal", t.after))
	refused := "after the stop, which is fine: nobody listened any more"
	if r.NoRefuse {
		refused = "after the signal"
	}
	r.fact("refused", float64(t.refused), "", refused)
	for _, how := range slices.Sorted(maps.Keys(t.lost)) {
		r.fact("lost", float64(t.lost[how]), "", how)
	}
	if t.early > 0 {
		r.fact("lost before the signal", float64(t.early), "", "so not because of the stop")
	}
	if t.errors > 0 {
		r.fact("answered with 5xx before the signal", float64(t.errors), "", "so not because of the stop")
	}
	if t.queued > 0 {
		r.fact("never accepted", float64(t.queued), "", "reset by the kernel when the listening socket was closed, see backlog")
	}
	if t.idle > 0 {
		r.fact("reset on idle keep-alive", float64(t.idle), "", "sent after the signal on a connection that the daemon closed at that moment")
	}
	if t.fivexx > 0 {
		r.fact("answered with 5xx", float64(t.fivexx), "", "after the signal")
	}
	if t.broken != "" {
		r.fact("no HTTP", float64(t.breaks), "", t.broken)
	}
}

// steady sends requests until the daemon has ended. The function that it returns waits for the last of them.
func (l *life) steady(mode rawhttp.Mode, t *tally) (flowing bool, wait func()) {
	ctx, cancel := context.WithCancel(l.r.ctx)
	enough := make(chan struct{})
	n := 0
	done := make(chan struct{})
	load := rawhttp.Load{Target: l.r.url.with(mode), Clients: loadClients, Pause: loadPause, UntilRefused: true, Observe: func(_ int, r rawhttp.Result) {
		t.add(r)
		t.mu.Lock()
		defer t.mu.Unlock()
		if n++; n == loadClients*loadFirst {
			close(enough)
		}
	}}
	go func() {
		defer close(done)
		load.Run(ctx)
	}()
	limit := time.NewTimer(answersWithin)
	defer limit.Stop()
	select {
	case <-enough:
		flowing = true
	case <-done:
	case <-limit.C:
	case <-l.k.exited:
	}
	return flowing, func() {
		cancel()
		<-done
	}
}
