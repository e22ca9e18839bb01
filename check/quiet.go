//go:build unix

package check

import (
	"slices"
	"time"
)

const (
	// quietFor is how long a daemon that listens on nothing must have been quiet to count as ready, and quietFirst the same in its first
	// life, which shows whether it listens later. In that time there must have been quietLooks: who is not even let look, because the
	// machine is busy, cannot say that a daemon is not.
	quietFor   = 300 * time.Millisecond
	quietFirst = time.Second
	quietLooks = 5
	// quietShare is how much of a processor a quiet daemon uses at the most: one part in so many. It may look at its watch.
	quietShare = 100
	// starvedAfter is settledAfter for one that wants more of a processor than it gets: the machine is busy, and it may not be far yet.
	starvedAfter = 3 * settledAfter
)

// A quietness judges by its threads whether a daemon waits for work: it is quiet if it has no more threads than before, uses hardly any
// of a processor, and was not seen to want one, or a page of its memory. A machine that is busy with something else does not make a
// daemon quiet.
type quietness struct {
	long time.Duration // that it must have been quiet

	threads []int         // since the last disturbance, by their numbers
	cpu     time.Duration // they had used then
	since   time.Duration // when that was, since the start
	looks   int           // from then on
	starved bool          // it wanted more than it got then
	quiet   bool          // it was, in the last look
}

// saw takes what was seen at a time since the start, and returns how it is known that the daemon is ready, "" if it is not. One that is
// never quiet is after settledAfter, or starvedAfter, but not while it may be about to show that it is quiet.
func (q *quietness) saw(at time.Duration, threads []thread) string {
	var now []int
	var used time.Duration
	busy := false
	for _, t := range threads {
		now = append(now, t.TID)
		used += t.CPU
		busy = busy || t.busy()
	}
	slices.Sort(now)
	q.looks++
	lasted := at - q.since
	if busy || !slices.Equal(q.threads, now) || (used-q.cpu)*quietShare > max(lasted, quietFor) {
		q.threads, q.cpu, q.since, q.looks = now, used, at, 0
		q.starved = busy && used < at/2
		lasted = 0
	}
	q.quiet = lasted >= q.long && q.looks >= quietLooks
	switch {
	case q.quiet:
		return "it was quiet for " + q.long.String()
	case at >= starvedAfter:
		return "it ran for " + starvedAfter.String()
	case at >= settledAfter && lasted == 0 && !q.starved:
		return "it ran for " + settledAfter.String()
	}
	return ""
}
