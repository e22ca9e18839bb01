package timeline

import (
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
)

// axis maps times, counted from the soft stop, to places in the picture. The time before the soft stop, the lame-duck
// delay, is usually much longer than the stop and has nothing to show: it gets at most a fifth of the width, and is then
// drawn as broken.
type axis struct {
	from, to    time.Duration // from ≤ 0 ≤ to, from < to
	left, width float64
	lead        float64 // how much of width the time before the soft stop gets
	broken      bool    // the lead is not to scale
}

const maxLead = 0.2

func newAxis(from, to time.Duration, left, width float64) axis {
	from, to = min(from, 0), max(to, 0)
	if to-from < time.Microsecond {
		to = from + time.Millisecond
	}
	a := axis{from: from, to: to, left: left, width: width}
	a.lead = width * float64(-from) / float64(to-from)
	if a.lead > width*maxLead && to > 0 {
		a.lead, a.broken = width*maxLead, true
	}
	return a
}

// x is where d is drawn; what is outside is drawn at the edge.
func (a axis) x(d time.Duration) float64 {
	d = min(max(d, a.from), a.to)
	if d < 0 {
		return a.left + a.lead*(1-float64(d)/float64(a.from))
	}
	if a.to == 0 {
		return a.left + a.lead
	}
	return a.left + a.lead + (a.width-a.lead)*float64(d)/float64(a.to)
}

// ticks are the round times to label: about one for each 70 pixels that are to scale.
func (a axis) ticks() []time.Duration {
	from, width := a.from, a.width
	if a.broken {
		from, width = 0, a.width-a.lead
	}
	step := roundStep(time.Duration(float64(a.to-from) * 70 / width))
	var ticks []time.Duration
	for d := from / step * step; d <= a.to; d += step {
		ticks = append(ticks, d)
	}
	return ticks
}

// roundStep is the smallest step that people count in and that is not below d.
func roundStep(d time.Duration) time.Duration {
	for unit := time.Microsecond; unit < time.Second; unit *= 10 {
		for _, n := range []time.Duration{1, 2, 5} {
			if n*unit >= d {
				return n * unit
			}
		}
	}
	for _, step := range []time.Duration{1, 2, 5, 10, 15, 30, 60, 2 * 60, 5 * 60, 10 * 60, 15 * 60, 30 * 60, 3600} {
		if step*time.Second >= d {
			return step * time.Second
		}
	}
	step := 2 * time.Hour
	for step < d {
		step *= 2
	}
	return step
}

// short is d as a person reads it.
func short(d time.Duration) string { return text.Round(d).String() }
