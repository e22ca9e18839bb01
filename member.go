package lastcall

import (
	"cmp"
	"slices"

	"github.com/lastcall-go/lastcall/internal/engine"
)

// A member is a worker in a run. There may be millions: what only some have is in extra. It is guarded by run.mu but for what is
// set when it is made.
type member struct {
	name    string
	w       Worker
	run     *run
	opt     *options
	first   attempt
	started int64 // in the run's time, as all times here; 0 for not yet
	ended   int64
	id      engine.ReplicaID // none once it is forgotten
	place   engine.MemberID
	order   int32 // in which it was added; a replacement has its predecessor's
	state   State
	ready   bool // it has been, in the present attempt

	extra *extra // nil where there is nothing to know
}

// forgotten is the identifier of a member that the engine does not know any more.
const forgotten engine.ReplicaID = -1

// extra is what is known of some workers.
type extra struct {
	attempt     *attempt // the present one, or the last, unless that is the first
	readied     int64    // when it became ready in the present attempt, unless that was when it started
	err         error
	ends        []error // what the group's error has of it, if it is optional
	blamed      bool    // that it was not ready in time is in the group's error already
	unready     string
	status      string
	pid         int // of the process that it runs
	restarts    int // over the whole run
	cutAt       int64
	inFlight    int // at the soft stop
	interrupted int
	stacks      string
	drained     chan struct{}
	left        chan struct{} // closed when the present attempt has ended; made when somebody waits for it
	replaces    *member       // the one whose place this one is to take once it is ready
	candidate   *member       // the reverse
}

// attempt is the present one, or the last; nil before the first.
func (m *member) attempt() *attempt {
	switch {
	case m.extra != nil && m.extra.attempt != nil:
		return m.extra.attempt
	case m.first.soft.done != nil:
		return &m.first
	}
	return nil
}

// readied is when it became ready in the present attempt; 0 for not yet.
func (m *member) readied() int64 {
	switch {
	case !m.ready:
		return 0
	case m.extra != nil && m.extra.readied != 0:
		return m.extra.readied
	}
	return m.started
}

func (m *member) path() string  { return m.run.prefix + m.name }
func (m *member) running() bool { return m.state >= StateStarting && m.state <= StateCut }

// more is the member's extra, made if need be.
func (m *member) more() *extra {
	if m.extra == nil {
		m.extra = new(extra)
	}
	return m.extra
}

// err is how the worker ended, or failed to start.
func (m *member) err() error {
	if m.extra == nil {
		return nil
	}
	return m.extra.err
}

// isPresent reports whether a is the present attempt of its worker and has not ended.
func (a *attempt) isPresent() bool { return a.m.attempt() == a && a.m.running() }

// inOrder are the members in the order in which they were added.
func (r *run) inOrder() []*member {
	list := make([]*member, 0, len(r.members))
	sorted := true
	for _, m := range r.members {
		if m != nil {
			sorted = sorted && (len(list) == 0 || r.byOrder(list[len(list)-1], m) <= 0)
			list = append(list, m)
		}
	}
	if !sorted {
		slices.SortStableFunc(list, r.byOrder)
	}
	return list
}

// byOrder compares two members by when they were added, and replicas of the same by their number.
func (r *run) byOrder(a, b *member) int {
	if a.order == b.order && a != b {
		return r.engine.Index(a.id) - r.engine.Index(b.id)
	}
	return cmp.Compare(a.order, b.order)
}
