package check

import (
	"runtime"
	"time"
)

const (
	// lookingShare is how much of one processor the looking at processes may take: one part in so many. What the runtime does for it,
	// with timers and threads, takes as much again.
	lookingShare = 200
	// lookingAhead is how much it may take before its time, so that what begins is seen soon.
	lookingAhead = 5 * time.Millisecond
)

// pace is how often something is looked at: as often as is good for what is to be seen, but so seldom that it takes no more than
// its share of a processor.
type pace struct {
	every time.Duration
	began time.Time     // the first look
	used  time.Duration // by all looks until now
}

// do is one look. It is measured by what it takes of a processor, and not by the time, which other programs make longer.
func (p *pace) do(look func()) {
	if p.began.IsZero() {
		p.began = time.Now()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := threadCPU()
	look()
	p.used += threadCPU() - before
}

// next says when to look again.
func (p *pace) next() <-chan time.Time {
	return time.After(max(p.every, (p.used-lookingAhead)*lookingShare-time.Since(p.began)))
}
