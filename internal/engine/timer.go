package engine

import (
	"container/heap"
	"time"
)

// A timer is something that is due at a time.
type timer struct {
	at  Time
	seq uint64 // of two at the same time, the one that was set first is due first
	do  func()
	// abandons is the plan of those that it may abandon; nil where it abandons none.
	abandons *plan
	late     bool // it was postponed, since the Tick came too late
	index    int  // in the heap; -1 when it is not there
}

// timers is a heap, the soonest first.
type timers struct {
	heap timerHeap
	set  uint64 // how many there have been
}

func (t *timers) add(at Time, do func()) *timer {
	t.set++
	item := &timer{at: at, seq: t.set, do: do}
	heap.Push(&t.heap, item)
	return item
}

// cancel takes a timer out. It may be nil, and it may be out already.
func (t *timers) cancel(item *timer) {
	if item != nil && item.index >= 0 {
		heap.Remove(&t.heap, item.index)
	}
}

// next is when the soonest is due; 0 if there is none.
func (t *timers) next() Time {
	if len(t.heap) == 0 {
		return 0
	}
	return t.heap[0].at
}

const (
	// heldUp is how late a Tick must be for the process to have been held up: it was halted, or the machine slept or was busy.
	// What the workers have to say by then, such as that they have ended, comes at the same moment as the Tick.
	heldUp = 100 * time.Millisecond
	// catchUp limits the time that they have for it, which is as long as the process was held up.
	catchUp = 500 * time.Millisecond
)

// due takes out the soonest if it is due; nil otherwise. One that is noticed too late is postponed, once.
func (t *timers) due(now Time) *timer {
	t.postpone(now)
	if len(t.heap) == 0 || t.heap[0].at > now {
		return nil
	}
	return heap.Pop(&t.heap).(*timer)
}

// postpone postpones what is noticed too late.
func (t *timers) postpone(now Time) {
	for len(t.heap) > 0 {
		first := t.heap[0]
		late := now - first.at
		if late <= heldUp || first.late {
			return
		}
		first.at, first.late = now+min(late, catchUp), true
		heap.Fix(&t.heap, 0)
	}
}

type timerHeap []*timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	x.(*timer).index = len(*h)
	*h = append(*h, x.(*timer))
}

func (h *timerHeap) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	last.index = -1
	return last
}
