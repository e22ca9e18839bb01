package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/summary"
)

const (
	// maxRows is how many workers each get a row of their own. Beyond it, those of which there is nothing to say share one.
	maxRows = 200
	// keepLongest is how many of those keep their row nevertheless: the ones that took longest.
	keepLongest = 20
)

// layout is a report as it is drawn: times counted from the origin, rows from top to bottom, and the waits between them.
type layout struct {
	report   lastcall.Report
	sum      summary.Summary
	stopping bool // the picture shows a stop; otherwise the run so far
	over     bool // nothing runs any more
	origin   time.Time
	from, to time.Duration
	rows     []row
	links    []link
	chain    []int // rows of the longest chain, in the order in which they returned
}

// row is one line of the picture.
type row struct {
	worker    lastcall.WorkerReport
	sum       summary.Worker
	label     string
	depth     int
	bars      []bar
	open      bool          // the bar does not end: abandoned
	wait      time.Duration // a dotted line from here to the first bar
	waited    bool
	waitedFor []string // the workers waited for, the last to return first
	gone      bool     // it ended before its soft stop, at end
	end       time.Duration
	more      int // this row stands for so many workers
	chain     bool
}

// bar is a part of a row's life.
type bar struct {
	from, to time.Duration
	kind     string // its class in svg.css
}

// link is a dependent that returned, and what waited for that.
type link struct {
	from, to int // rows
	at       time.Duration
	last     bool // the one that was waited for the longest
	chain    bool
}

func newLayout(r lastcall.Report) *layout {
	l := &layout{report: r, sum: summary.Of(r), origin: r.SoftStop, stopping: true}
	switch {
	case !r.SoftStop.IsZero():
	case !r.LameDuck.IsZero():
		l.origin = r.LameDuck
	default:
		l.origin, l.stopping = r.Started, false
	}
	if l.origin.IsZero() {
		l.origin = r.Taken
	}
	l.over = !r.Ended.IsZero()
	if l.stopping && !r.LameDuck.IsZero() {
		l.from = min(l.since(r.LameDuck), 0)
	}
	end := r.Ended
	if !l.over {
		end = r.Taken
	}
	l.to = max(l.since(end), 0)
	if !r.HardStop.IsZero() {
		l.to = max(l.to, l.since(r.HardStop))
	}
	for _, w := range r.Workers {
		l.to = max(l.to, l.since(w.Ended))
	}
	g := newGraph(r.Workers)
	if l.stopping {
		g.findChain()
	}
	l.connect(g, l.place(g))
	return l
}

// since is when t was, counted from the origin. Times of a damaged report are kept within what can be drawn.
func (l *layout) since(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	const most = 100 * 365 * 24 * time.Hour
	return min(max(t.Sub(l.origin), -most), most)
}

// place makes the rows, and returns which one each worker got.
func (l *layout) place(g *graph) map[int]int {
	hidden := collapse(g, l.sum)
	rowOf := make(map[int]int, len(g.workers))
	shown := make(map[string]bool) // groups that have a row
	var more row
	for i, w := range g.workers {
		r := l.row(w)
		r.sum = l.sum.Of[i]
		if hidden[i] {
			more.merge(r)
			continue
		}
		r.chain = g.onChain[i]
		r.label, r.depth = label(w.Name, shown)
		shown[w.Name] = w.Group
		if waits := g.waits(i); l.stopping && !w.SoftStop.IsZero() && len(waits) > 0 {
			r.wait = max(l.since(g.toldToStop(w.Name)), 0)
			r.waited = l.since(w.SoftStop) > r.wait
			for _, d := range waits {
				r.waitedFor = append(r.waitedFor, g.workers[d].Name)
			}
		}
		rowOf[i] = len(l.rows)
		l.rows = append(l.rows, r)
	}
	if more.more > 0 {
		more.label = fmt.Sprintf("%d more", more.more)
		l.rows = append(l.rows, more)
	}
	return rowOf
}

// connect makes the links between the rows.
func (l *layout) connect(g *graph, rowOf map[int]int) {
	for _, i := range g.chain {
		l.chain = append(l.chain, rowOf[i])
	}
	steps := g.steps()
	for i := range g.workers {
		to, ok := rowOf[i]
		if !ok || !l.rows[to].waited {
			continue
		}
		for n, d := range g.waits(i) {
			if from, ok := rowOf[d]; ok {
				l.links = append(l.links, link{from: from, to: to, at: l.since(g.workers[d].Ended), last: n == 0, chain: n == 0 && steps[[2]int{d, i}]})
			}
		}
	}
}

// row is the life of w, without its neighbours.
func (l *layout) row(w lastcall.WorkerReport) row {
	r := row{worker: w, end: l.since(w.Ended)}
	ended := !w.Ended.IsZero()
	if !ended {
		r.end = l.to
	}
	switch {
	case l.stopping && !w.SoftStop.IsZero():
		begin, kind := l.since(w.SoftStop), "work"
		if w.Group {
			kind = "group"
		}
		if cut := l.since(w.HardStop); w.HardStop.IsZero() {
			r.bars = append(r.bars, bar{begin, r.end, kind})
		} else {
			cut = min(max(cut, begin), r.end)
			r.bars = append(r.bars, bar{begin, cut, kind}, bar{cut, r.end, "cut"})
		}
		r.open = w.State == lastcall.StateAbandoned || !ended
	case l.stopping && w.State == lastcall.StateAbandoned: // before its turn to stop came
		r.open = true
	case l.stopping:
		r.gone = ended
	case !w.Started.IsZero():
		begin, ready := l.since(w.Started), l.since(w.Ready)
		if w.Ready.IsZero() || ready < begin {
			ready = r.end
			if w.State == lastcall.StateReady {
				ready = begin
			}
		}
		if ready > begin {
			r.bars = append(r.bars, bar{begin, ready, "start"})
		}
		if r.end > ready {
			r.bars = append(r.bars, bar{ready, r.end, "run"})
		}
		r.open = !ended
	}
	return r
}

// merge adds a row that is not drawn to r, which stands for many.
func (r *row) merge(other row) {
	r.more++
	for _, b := range other.bars {
		if len(r.bars) == 0 {
			r.bars = []bar{{b.from, b.to, "more"}}
		}
		r.bars[0].from, r.bars[0].to = min(r.bars[0].from, b.from), max(r.bars[0].to, b.to)
	}
	r.worker.InFlight += other.worker.InFlight
	r.end = max(r.end, other.sum.Took) // the longest of them
}

// collapse says which workers share a row, if there are too many: those of which there is nothing to say.
func collapse(g *graph, sum summary.Summary) map[int]bool {
	if len(g.workers) <= maxRows {
		return nil
	}
	var quiet []int
	for i := range g.workers {
		if !g.onChain[i] && !sum.Of[i].Told {
			quiet = append(quiet, i)
		}
	}
	slices.SortStableFunc(quiet, func(a, b int) int { return cmp.Compare(sum.Of[b].Took, sum.Of[a].Took) })
	hidden := make(map[int]bool, len(quiet))
	for _, i := range quiet[min(len(quiet), keepLongest):] {
		hidden[i] = true
	}
	return hidden
}

// label is name as it is shown under those of its groups that have a row, and how deep that is.
func label(name string, shown map[string]bool) (string, int) {
	depth := 0
	for parent := parentOf(name); parent != ""; parent = parentOf(parent) {
		if shown[parent] {
			depth++
		}
	}
	for parent := parentOf(name); parent != ""; parent = parentOf(parent) {
		if shown[parent] {
			return name[len(parent)+1:], depth
		}
	}
	return name, 0
}
