package lastcall

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

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
func (r Report) waterfall(width int, ascii bool) string {
	width = max(width, 60)
	b := unicodeBrushes
	if ascii {
		b = asciiBrushes
	}
	var out strings.Builder
	out.WriteString(wrap(text.Outside(r.headline()), width) + "\n")
	rows, rest := r.rows()
	nameWidth := 6
	for _, w := range rows {
		nameWidth = max(nameWidth, tty.Columns(indented(w)))
	}
	nameWidth = min(nameWidth, 24)
	if r.SoftStop.IsZero() || len(rows) == 0 {
		for _, w := range rows {
			line := fmt.Sprintf("  %s  %-10s %s", tty.Pad(tty.Clip(indented(w), nameWidth, b.ellipsis), nameWidth), w.State, w.remarks(r.Taken))
			out.WriteString(tty.Clip(strings.TrimRight(line, " "), width, b.ellipsis) + "\n")
		}
	} else {
		const timeWidth, remarkWidth = 7, 22
		barWidth := width - 2 - nameWidth - 2 - timeWidth - 2 - remarkWidth
		from, to := r.span()
		for _, w := range rows {
			line := fmt.Sprintf("  %s  %s %*s  %s", tty.Pad(tty.Clip(indented(w), nameWidth, b.ellipsis), nameWidth), w.bar(from, to, barWidth, b), timeWidth, w.took(r.Taken), w.remarks(r.Taken))
			out.WriteString(tty.Clip(strings.TrimRight(line, " "), width, b.ellipsis) + "\n")
		}
	}
	if rest > 0 {
		fmt.Fprintf(&out, "  and %s\n", text.Count(rest, "more worker"))
	}
	for _, w := range r.Workers {
		w.details(&out)
	}
	for _, p := range r.Problems {
		out.WriteString("rejected: " + text.Outside(p) + "\n")
	}
	return out.String()
}

// headline is what happened in one line.
func (r Report) headline() string {
	var cut, abandoned, failed, leaked, interrupted, lost, inFlight, workers int
	for _, w := range r.Workers {
		if w.Group {
			continue
		}
		workers++
		inFlight += w.InFlight
		interrupted += w.Interrupted
		lost += w.Lost
		switch {
		case w.State == StateAbandoned:
			abandoned++
		case w.State == StateFailed:
			failed++
		case !w.HardStop.IsZero():
			cut++
		}
		if w.Leaks != "" {
			leaked++
		}
	}
	var head string
	switch {
	case r.Started.IsZero():
		return "not started"
	case r.SoftStop.IsZero() && r.Ended.IsZero():
		head = fmt.Sprintf("%s for %s: %s", r.State, text.Round(r.Taken.Sub(r.Started)), text.Count(workers, "worker"))
		if !r.LameDuck.IsZero() {
			head = fmt.Sprintf("lame duck for %s (%s): %s", text.Round(r.Taken.Sub(r.LameDuck)), r.Cause, text.Count(workers, "worker"))
		}
	case r.Ended.IsZero():
		head = fmt.Sprintf("stopping for %s (%s): %s", text.Round(r.Taken.Sub(r.SoftStop)), r.Cause, text.Count(workers, "worker"))
	case r.SoftStop.IsZero():
		head = fmt.Sprintf("completed after %s: %s", text.Round(r.Ended.Sub(r.Started)), text.Count(workers, "worker"))
	default:
		head = fmt.Sprintf("stopped in %s (%s): %s", text.Round(r.Ended.Sub(r.SoftStop)), r.Cause, text.Count(workers, "worker"))
	}
	if inFlight > 0 {
		head += fmt.Sprintf(", %d in flight", inFlight)
		if !r.SoftStop.IsZero() {
			head += " at the soft stop"
		}
	}
	well := true
	for _, part := range []struct {
		n    int
		text string
	}{{failed, "failed"}, {cut, "cut"}, {interrupted, "interrupted in flight"}, {lost, "lost"}, {abandoned, "abandoned"}, {leaked, "with leaks"}} {
		if part.n > 0 {
			well = false
			head += fmt.Sprintf(", %d %s", part.n, part.text)
		}
	}
	if well && !r.Ended.IsZero() {
		head += ", all well"
	}
	return head
}

// rows are the workers to draw: of very many those with something to say and the slowest. rest is how many are left out.
func (r Report) rows() (rows []WorkerReport, rest int) {
	if len(r.Workers) <= mostRows {
		return r.Workers, 0
	}
	took := func(w WorkerReport) time.Duration { return w.Ended.Sub(w.SoftStop) }
	order := make([]int, len(r.Workers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		first, second := r.Workers[a], r.Workers[b]
		if first.eventful() != second.eventful() {
			return cmp.Compare(btoi(second.eventful()), btoi(first.eventful()))
		}
		return cmp.Compare(took(second), took(first))
	})
	order = order[:mostRows]
	slices.Sort(order)
	for _, i := range order {
		rows = append(rows, r.Workers[i])
	}
	return rows, len(r.Workers) - len(rows)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (w WorkerReport) eventful() bool {
	return w.State != StateStopped && w.State != StateReady || !w.HardStop.IsZero() || w.Leaks != "" || w.Err != "" || w.Restarts > 0
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
// an arrow, and nothing for a worker that was not told.
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
func (w WorkerReport) took(now time.Time) string {
	switch {
	case w.SoftStop.IsZero():
		return "-"
	case w.Ended.IsZero():
		return text.Round(now.Sub(w.SoftStop)).String()
	}
	return text.Round(w.Ended.Sub(w.SoftStop)).String()
}

// remarks are the few words behind the bar.
func (w WorkerReport) remarks(now time.Time) string {
	var words []string
	switch {
	case w.State == StateAbandoned, w.State == StateFailed:
		words = append(words, w.State.String())
	case !w.HardStop.IsZero():
		words = append(words, "cut")
	case w.Started.IsZero():
		words = append(words, "not started")
	case w.SoftStop.IsZero() && !w.Ended.IsZero():
		words = append(words, "completed")
	case w.SoftStop.IsZero() && w.State == StateReady:
		words = append(words, text.Round(now.Sub(w.Ready)).String())
	}
	if w.InFlight > 0 {
		words = append(words, fmt.Sprintf("%d in flight", w.InFlight))
	}
	if w.Interrupted > 0 {
		words = append(words, fmt.Sprintf("%d interrupted", w.Interrupted))
	}
	if w.Lost > 0 {
		words = append(words, fmt.Sprintf("%d lost", w.Lost))
	}
	if w.Leaks != "" {
		words = append(words, "leaked")
	}
	if w.Restarts > 0 {
		words = append(words, text.Count(w.Restarts, "restart"))
	}
	if w.Unready != "" && w.Ended.IsZero() {
		words = append(words, "not ready: "+w.Unready)
	}
	if w.Status != "" && w.Ended.IsZero() {
		words = append(words, w.Status)
	}
	return text.Outside(strings.Join(words, ", "))
}

// details are the lines below the waterfall.
func (w WorkerReport) details(out *strings.Builder) {
	if w.Err != "" && w.State != StateReady && !w.Group { // a group's workers tell themselves
		failure := w.Err
		if !strings.HasPrefix(failure, w.Name+":") {
			failure = w.Name + ": " + failure
		}
		out.WriteString(text.Outside(failure) + "\n")
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
