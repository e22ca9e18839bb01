package lastcall

import (
	"testing"
	"time"
)

// A deadline that is noticed too late is postponed once, by as much and at most by catchUp, so that what came meanwhile is heard first.
func TestDeadlineThatIsNoticedLate(t *testing.T) {
	start := time.Now()
	for late, want := range map[time.Duration]time.Duration{
		0: 0, heldUp: 0, heldUp + 1: heldUp + 1, catchUp: catchUp, time.Hour: catchUp,
	} {
		var d deadlines
		item := d.add(start, func() {})
		other := d.add(start.Add(late+time.Millisecond), func() {})
		now := start.Add(late)
		if want > 0 {
			if got := d.due(now); got != nil {
				t.Errorf("%v late: not postponed", late)
			}
			if d.due(now.Add(time.Millisecond)) != other {
				t.Errorf("%v late: the next is not the next", late)
			}
			if d.due(now.Add(want-1)) != nil {
				t.Errorf("%v late: postponed by less than %v", late, want)
			}
			now = now.Add(time.Hour) // late again
		}
		if d.due(now) != item {
			t.Errorf("%v late: postponed by more than %v", late, want)
		}
	}
}
