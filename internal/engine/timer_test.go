package engine

import (
	"testing"
	"time"
)

// A timer that is noticed too late is postponed once, by as much and at most by catchUp, so that what came meanwhile is heard first.
func TestTimerThatIsNoticedLate(t *testing.T) {
	const start = time.Hour
	for late, want := range map[time.Duration]time.Duration{
		0: 0, heldUp: 0, heldUp + 1: heldUp + 1, catchUp: catchUp, time.Hour: catchUp,
	} {
		var timers timers
		item := timers.add(start, func() {})
		other := timers.add(start+late+time.Millisecond, func() {})
		now := start + late
		if want > 0 {
			if timers.due(now) != nil {
				t.Errorf("%v late: not postponed", late)
			}
			if timers.due(now+time.Millisecond) != other {
				t.Errorf("%v late: the next is not the next", late)
			}
			if timers.due(now+want-1) != nil {
				t.Errorf("%v late: postponed by less than %v", late, want)
			}
			now += time.Hour // late again
		}
		if timers.due(now) != item {
			t.Errorf("%v late: postponed by more than %v", late, want)
		}
	}
}
