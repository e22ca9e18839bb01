package check

import (
	"runtime"
	"time"
)

// lookingShare is how much of one processor the looking at processes may take: one part in so many.
const lookingShare = 100

// pace is how often something is looked at: as often as is good for what is to be seen, but so seldom that it takes no more than
// its share of a processor.
type pace struct {
	every time.Duration
	last  time.Duration // what the last look took
	cost  time.Duration // and the lesser of the last two: the first look at something takes longer
}

// do is one look. It is measured by what it takes of a processor, and not by the time, which other programs make longer.
func (p *pace) do(look func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := threadCPU()
	look()
	took := threadCPU() - before
	p.last, p.cost = took, min(took, p.last)
}

// next says when to look again.
func (p *pace) next() <-chan time.Time { return time.After(max(p.every, (lookingShare-1)*p.cost)) }
