package lastcall

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/summary"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/internal/tty"
)

// String is the waterfall of the stop in 80 columns, in plain ASCII where the
// environment does not promise UTF-8.
func (r Report) String() string { return r.waterfall(80, !utf8Terminal()) }

// utf8Terminal reports whether the locale says UTF-8. Its variables are looked at in the order of locale(7).
func utf8Terminal() bool {
	if os.Getenv("TERM") == "dumb" {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := os.Getenv(name); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return runtime.GOOS == "windows" || runtime.GOOS == "darwin"
}

// brushes draw the bars.
type brushes struct {
	soft, cut, left, half, ellipsis string
}

var (
	unicodeBrushes = brushes{soft: "█", cut: "░", left: "▶", half: "▏", ellipsis: "…"}
	asciiBrushes   = brushes{soft: "#", cut: "x", left: ">", half: "|", ellipsis: "~"}
)

const (
	mostRows     = 50  // workers drawn
	mostStack    = 40  // lines of stacks for each worker
	widestReport = 120 // columns: a longer line is hard to follow
)

// waterfall draws the stop as text, width columns wide (60 at least): a line per worker in stop order, a bar from its
// soft stop to its return, and the time that took; below, what failed, was cut, abandoned or leaked, with stacks. While
// the group runs it lists the workers and their states. Of more than 50 workers it draws those with something to say
// and the slowest.
//
// Rows are clipped to the width. Other lines break between words; only a word that is longer than a line, and the lines of
// stacks, are left as they are.
func (r Report) waterfall(width int, ascii bool) string {
	width = max(width, 60)
	b := unicodeBrushes
	if ascii {
		b = asciiBrushes
	}
	s := r.summary()
	var out strings.Builder
	out.WriteString(wrap(text.Outside(r.headline(s)), width) + "\n")
	rows := r.rows(s)
	nameWidth := 6
	for _, i := range rows {
		nameWidth = max(nameWidth, tty.Columns(indented(r.Workers[i])))
	}
	nameWidth = min(nameWidth, 24+max(width-80, 0)/4)
	const timeWidth = 7
	barWidth := width - 2 - nameWidth - 2 - timeWidth - 2 - 22 - max(width-80, 0)/4
	from, to := r.span()
	for _, i := range rows {
		w := r.Workers[i]
		line := "  " + tty.Pad(tty.Clip(indented(w), nameWidth, b.ellipsis), nameWidth) + "  "
		if r.SoftStop.IsZero() {
			line += fmt.Sprintf("%-10s %s", w.State, r.remarks(w, s.Of[i]))
		} else {
			line += fmt.Sprintf("%s %*s  %s", w.bar(from, to, barWidth, b), timeWidth, took(w, s.Of[i]), r.remarks(w, s.Of[i]))
		}
		out.WriteString(tty.Clip(strings.TrimRight(line, " "), width, b.ellipsis) + "\n")
	}
	if rest := len(r.Workers) - len(rows); rest > 0 {
		fmt.Fprintf(&out, "  and %s\n", text.Count(rest, "more worker"))
	}
	for i, w := range r.Workers {
		w.details(&out, s.Of[i], width)
	}
	for _, p := range r.Problems {
		out.WriteString(wrap("rejected: "+text.Outside(p), width) + "\n")
	}
	return out.String()
}

// headline is what happened in one line.
func (r Report) headline(s summary.Summary) string {
	since := func(t time.Time) time.Duration { return text.Round(r.Taken.Sub(t)) }
	var head string
	switch {
	case r.Started.IsZero():
		return "not started"
	case r.SoftStop.IsZero() && r.Ended.IsZero() && !r.LameDuck.IsZero():
		head = fmt.Sprintf("lame duck for %s (%s)", since(r.LameDuck), r.Cause)
	case r.SoftStop.IsZero() && r.Ended.IsZero():
		head = fmt.Sprintf("%s for %s", r.State, since(r.Started))
	case r.Ended.IsZero():
		head = fmt.Sprintf("stopping for %s (%s)", since(r.SoftStop), r.Cause)
	case r.SoftStop.IsZero():
		head = fmt.Sprintf("completed after %s", text.Round(r.Ended.Sub(r.Started)))
	default:
		head = fmt.Sprintf("stopped in %s (%s)", text.Round(r.Ended.Sub(r.SoftStop)), r.Cause)
	}
	head += ": " + text.Count(s.Workers, "worker")
	if s.InFlight > 0 {
		head += fmt.Sprintf(", %d in flight", s.InFlight)
		if !r.SoftStop.IsZero() {
			head += " at the soft stop"
		}
	}
	problems := s.Problems()
	if len(problems) == 0 && !r.Ended.IsZero() {
		problems = []string{"all well"}
	}
	return strings.Join(append([]string{head}, problems...), ", ")
}

// rows are the places of the workers to draw: of very many those with something to say and the slowest.
func (r Report) rows(s summary.Summary) []int {
	order := make([]int, len(r.Workers))
	for i := range order {
		order[i] = i
	}
	if len(order) <= mostRows {
		return order
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch first, second := s.Of[a], s.Of[b]; {
		case first.Told == second.Told:
			return cmp.Compare(second.Took, first.Took)
		case first.Told:
			return -1
		}
		return 1
	})
	order = order[:mostRows]
	slices.Sort(order)
	return order
}

// span is the time that the bars cover.
func (r Report) span() (from, to time.Time) {
	from, to = r.SoftStop, r.Ended
	if to.IsZero() {
		to = r.Taken
	}
	for _, w := range r.Workers { // the clock of the machine may have been set
		if w.Ended.After(to) {
			to = w.Ended
		}
	}
	if !to.After(from) {
		to = from.Add(1)
	}
	return from, to
}

// bar is drawn from the soft stop to the end: what came after the hard stop with another brush, an abandoned worker with
// an arrow, and nothing for a worker whose turn to stop did not come.
func (w WorkerReport) bar(from, to time.Time, width int, b brushes) string {
	if w.SoftStop.IsZero() {
		return strings.Repeat(" ", width)
	}
	column := func(t time.Time) int {
		if t.IsZero() {
			return width
		}
		c := int(int64(width) * int64(t.Sub(from)) / int64(to.Sub(from)))
		return min(max(c, 0), width)
	}
	start, end, cut := column(w.SoftStop), column(w.Ended), width
	if !w.HardStop.IsZero() {
		cut = column(w.HardStop)
	}
	if end == start { // too short to see
		start = min(start, width-1)
		return strings.Repeat(" ", start) + b.half + strings.Repeat(" ", width-start-1)
	}
	cut = min(max(cut, start), end)
	bar := strings.Repeat(" ", start) + strings.Repeat(b.soft, cut-start) + strings.Repeat(b.cut, end-cut)
	if w.State == StateAbandoned || w.Ended.IsZero() {
		bar = strings.Repeat(" ", start) + strings.Repeat(b.soft, min(cut, end-1)-start) + strings.Repeat(b.cut, max(end-1-cut, 0)) + b.left
	}
	return bar + strings.Repeat(" ", width-end)
}

// took is the time from the soft stop to the end.
func took(w WorkerReport, s summary.Worker) string {
	if w.SoftStop.IsZero() {
		return "-"
	}
	return text.Round(s.Took).String()
}

// remarks are the few words behind the bar, or behind the state of a worker that runs.
func (r Report) remarks(w WorkerReport, s summary.Worker) string {
	var words []string
	switch {
	case s.Ending != "":
		words = append(words, s.Ending)
	case w.SoftStop.IsZero() && w.State == StateReady:
		words = append(words, text.Round(r.Taken.Sub(w.Ready)).String())
	}
	return strings.Join(slices.Concat(words, s.Work, s.Rest), ", ")
}

// details are the lines below the waterfall.
func (w WorkerReport) details(out *strings.Builder, s summary.Worker, width int) {
	if s.Failure != "" && w.State != StateReady {
		out.WriteString(wrap(s.Failure, width) + "\n")
	}
	if w.Stacks != "" {
		writeStacks(out, w.Stacks)
	}
	if w.Leaks != "" {
		out.WriteString(text.Outside(w.Name) + ": left goroutines behind\n")
		writeStacks(out, w.Leaks)
	}
}

func writeStacks(out *strings.Builder, stacks string) {
	lines := strings.Split(strings.TrimRight(text.Lines(stacks), "\n"), "\n")
	for i, line := range lines {
		if i == mostStack {
			fmt.Fprintf(out, "    and %s more\n", text.Count(len(lines)-i, "line"))
			return
		}
		out.WriteString("    " + line + "\n")
	}
}

// indented is the worker's name, the last element of its path where it is in a group, below the group's.
func indented(w WorkerReport) string {
	name := text.Outside(w.Name)
	return strings.Repeat("  ", strings.Count(name, "/")) + name[strings.LastIndexByte(name, '/')+1:]
}

// wrap breaks a text between words into lines of width columns, those after the first indented.
func wrap(long string, width int) string {
	var lines []string
	line := ""
	for _, word := range strings.Split(long, " ") {
		if line != "" && tty.Columns(line)+1+tty.Columns(word) > width {
			lines = append(lines, line)
			line = "   "
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}
