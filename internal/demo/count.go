package demo

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/lastcall-go/lastcall/internal/text"
)

// A Count is what became of everything that was accepted: the records of clients and consumers, compared with the
// journal as it was read again from the disk.
type Count struct {
	Requests int // in flight at the signal
	Answered int // of those: how many succeeded
	Cut      int // of those: how many were answered with an error
	Jobs     int // in flight at the signal
	Finished int // of those: how many are done in the journal
	PutBack  int // of those: how many are in the journal for the next run

	Accepted     int // requests in all
	AnsweredAll  int // of those: how many were served
	Refused      int // connections that were refused: nothing listened any more
	TurnedAway   int // requests that were answered with an error, or cut
	Acknowledged int // orders that clients were told were taken
	Journalled   int // orders that this run wrote into the journal
	Done         int // jobs that this run did
	Kept         int // jobs that the journal keeps for the next run

	Lost []string // one line for each loss
}

// snapshot is what was in flight at the signal.
type snapshot struct {
	requests []*exchange
	jobs     []order
}

// take counts. The service and the clients have ended by then.
func take(at snapshot, l *load, c *consumers, before, after *contents) Count {
	count := Count{
		Requests: len(at.requests), Jobs: len(at.jobs),
		Accepted: len(l.notes), Refused: l.refused,
		Journalled: len(after.orders) - len(before.orders),
		Done:       len(after.done) - len(before.done),
		Kept:       len(after.pending()),
	}
	lost := func(format string, args ...any) { count.Lost = append(count.Lost, fmt.Sprintf(format, args...)) }
	known := make(map[uint64]bool) // an order is lost once
	lostOrder := func(id uint64, format string, args ...any) {
		if !known[id] {
			known[id] = true
			lost("order %d "+format, append([]any{id}, args...)...)
		}
	}

	for _, e := range l.notes {
		switch e.status {
		case 0:
			lost("request %s %s was accepted and not answered: %v", e.method, e.key, e.err)
		case http.StatusOK:
			count.AnsweredAll++
		case http.StatusCreated:
			count.AnsweredAll++
			count.Acknowledged++
			if written, ok := after.orders[e.order]; !ok || written.Key != e.key {
				lostOrder(e.order, "(%s) was acknowledged and is not in the journal", e.key)
			}
		default:
			count.TurnedAway++
		}
	}
	for _, e := range at.requests {
		switch e.status {
		case 0:
		case http.StatusOK, http.StatusCreated:
			count.Answered++
		default:
			count.Cut++
		}
	}
	for _, o := range c.allFinished() {
		if after.done[o.ID] == 0 {
			lostOrder(o.ID, "had its job finished, which the journal does not know")
		}
	}
	for _, o := range at.jobs {
		if after.done[o.ID] > 0 {
			count.Finished++
		} else if _, ok := after.orders[o.ID]; ok {
			count.PutBack++
		} else {
			lostOrder(o.ID, "was in hand, and is neither done nor in the journal")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(after.done)) {
		if _, ok := after.orders[id]; !ok {
			lostOrder(id, "had its job done and is not in the journal")
		}
		if times := after.done[id]; times > 1 {
			lostOrder(id, "had its job done %d times", times)
		}
	}
	return count
}

// String says what was in flight, the totals, and a line for each loss.
func (c Count) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "in flight at the signal: %s, %s; answered %d of %d", text.Count(c.Requests, "request"), text.Count(c.Jobs, "job"), c.Answered, c.Requests)
	if c.Cut > 0 {
		fmt.Fprintf(&b, " (%d turned away)", c.Cut)
	}
	fmt.Fprintf(&b, ", finished %d of %d", c.Finished, c.Jobs)
	if c.PutBack > 0 {
		fmt.Fprintf(&b, " (%d kept for next time)", c.PutBack)
	}
	fmt.Fprintf(&b, "; lost: %d\n", len(c.Lost))
	fmt.Fprintf(&b, "the clients' notes: %s accepted, %d answered, %s acknowledged", text.Count(c.Accepted, "request"), c.AnsweredAll, text.Count(c.Acknowledged, "order"))
	if c.TurnedAway > 0 {
		fmt.Fprintf(&b, ", %d turned away", c.TurnedAway)
	}
	fmt.Fprintf(&b, "\nthe journal on disk: %s, %s done, %d kept for next time\n", text.Count(c.Journalled, "order"), text.Count(c.Done, "job"), c.Kept)
	for i, loss := range c.Lost {
		if i == 10 {
			fmt.Fprintf(&b, "and %d more\n", len(c.Lost)-i)
			break
		}
		fmt.Fprintf(&b, "lost: %s\n", loss)
	}
	return b.String()
}

// LostError says that something was lost.
type LostError struct {
	Lost []string // one line for each loss
}

// Error names the first loss.
func (e *LostError) Error() string {
	says := "lost " + text.Count(len(e.Lost), "thing")
	if len(e.Lost) > 0 {
		says += ", first: " + e.Lost[0]
	}
	return says
}
