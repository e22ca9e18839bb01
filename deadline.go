package lastcall

import (
	"container/heap"
	"time"
)

// A deadline is something that a run does at a time: the end of a grace period, of a back-off, of a start. All of a run's
// deadlines share the one timer of the goroutine that called Run; while there is none, there is no timer.
type deadline struct {
	at    time.Time
	do    func() // called by that goroutine with the run locked
	index int    // in the heap, -1 when it is no longer there
	late  bool   // it was postponed, since this process was held up
}

const (
	// heldUp is how late a deadline must be noticed for this process to have been held up: it was halted, or the machine slept or was
	// busy. What the workers have to say by then, such as that they have ended, comes at the same moment as the deadline.
	heldUp = 100 * time.Millisecond
	// catchUp is the time that they have for it, and no more than the process was held up.
	catchUp = 500 * time.Millisecond
)

// deadlines is a heap, the soonest first.
type deadlines []*deadline

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = i, j
}

// Push and Pop are for package heap only.
func (d *deadlines) Push(x any) {
	x.(*deadline).index = len(*d)
	*d = append(*d, x.(*deadline))
}

func (d *deadlines) Pop() any {
	last := (*d)[len(*d)-1]
	(*d)[len(*d)-1] = nil
	*d = (*d)[:len(*d)-1]
	last.index = -1
	return last
}

func (d *deadlines) add(at time.Time, do func()) *deadline {
	item := &deadline{at: at, do: do}
	heap.Push(d, item)
	return item
}

// cancel takes an item out; nil and one that is out already are fine.
func (d *deadlines) cancel(item *deadline) {
	if item != nil && item.index >= 0 {
		heap.Remove(d, item.index)
	}
}

// due takes out and returns the soonest if its time has come. One that is noticed too late is postponed, once.
func (d *deadlines) due(now time.Time) *deadline {
	for len(*d) > 0 && !(*d)[0].at.After(now) {
		first := (*d)[0]
		late := now.Sub(first.at)
		if late <= heldUp || first.late {
			return heap.Pop(d).(*deadline)
		}
		first.at, first.late = now.Add(min(late, catchUp)), true
		heap.Fix(d, 0)
	}
	return nil
}
