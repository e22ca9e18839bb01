package lastcall

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// String is the waterfall of the stop in 80 columns, as [Report.Waterfall] draws it; in plain ASCII where the
// environment does not promise UTF-8.
func (r Report) String() string { return r.Waterfall(80, !utf8Terminal()) }

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
	mostRows  = 50 // workers drawn
	mostStack = 40 // lines of stacks for each worker
)

// Waterfall draws the stop as text, width columns wide (60 at least): a line per worker in stop order, a bar from its
// soft stop to its return, and the time that took; below, what failed, was cut, abandoned or leaked, with stacks. While
// the group runs it lists the workers and their states. Of more than 50 workers it draws those with something to say
// and the slowest.
func (r Report) Waterfall(width int, ascii bool) string {
	width = max(width, 60)
	b := unicodeBrushes
	if ascii {
		b = asciiBrushes
	}
	var out strings.Builder
	out.WriteString(wrap(printable(r.headline()), width) + "\n")
	rows, rest := r.rows()
	nameWidth := 6
	for _, w := range rows {
		nameWidth = max(nameWidth, utf8.RuneCountInString(indented(w)))
	}
	nameWidth = min(nameWidth, 24)
	if r.SoftStop.IsZero() || len(rows) == 0 {
		for _, w := range rows {
			line := fmt.Sprintf("  %s  %-10s %s", pad(indented(w), nameWidth, b), w.State, w.remarks(r.Taken))
			out.WriteString(clip(strings.TrimRight(line, " "), width, b) + "\n")
		}
	} else {
		const timeWidth, remarkWidth = 7, 22
		barWidth := width - 2 - nameWidth - 2 - timeWidth - 2 - remarkWidth
		from, to := r.span()
		for _, w := range rows {
			line := fmt.Sprintf("  %s  %s %*s  %s", pad(indented(w), nameWidth, b), w.bar(from, to, barWidth, b), timeWidth, w.took(r.Taken), w.remarks(r.Taken))
			out.WriteString(clip(strings.TrimRight(line, " "), width, b) + "\n")
		}
	}
	if rest > 0 {
		fmt.Fprintf(&out, "  and %s\n", count(rest, "more worker"))
	}
	for _, w := range r.Workers {
		w.details(&out)
	}
	for _, p := range r.Problems {
		out.WriteString("rejected: " + printable(p) + "\n")
	}
	return out.String()
}

// headline is what happened in one line.
func (r Report) headline() string {
	var cut, abandoned, failed, leaked, interrupted, inFlight, workers int
	for _, w := range r.Workers {
		if w.Group {
			continue
		}
		workers++
		inFlight += w.InFlight
		interrupted += w.Interrupted
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
	var text string
	switch {
	case r.Started.IsZero():
		return "not started"
	case r.SoftStop.IsZero() && r.Ended.IsZero():
		text = fmt.Sprintf("%s for %s: %s", r.State, roundDuration(r.Taken.Sub(r.Started)), count(workers, "worker"))
		if !r.LameDuck.IsZero() {
			text = fmt.Sprintf("lame duck for %s (%s): %s", roundDuration(r.Taken.Sub(r.LameDuck)), r.Cause, count(workers, "worker"))
		}
	case r.Ended.IsZero():
		text = fmt.Sprintf("stopping for %s (%s): %s", roundDuration(r.Taken.Sub(r.SoftStop)), r.Cause, count(workers, "worker"))
	case r.SoftStop.IsZero():
		text = fmt.Sprintf("completed after %s: %s", roundDuration(r.Ended.Sub(r.Started)), count(workers, "worker"))
	default:
		text = fmt.Sprintf("stopped in %s (%s): %s", roundDuration(r.Ended.Sub(r.SoftStop)), r.Cause, count(workers, "worker"))
	}
	if inFlight > 0 {
		text += fmt.Sprintf(", %d in flight", inFlight)
		if !r.SoftStop.IsZero() {
			text += " at the soft stop"
		}
	}
	well := true
	for _, part := range []struct {
		n    int
		text string
	}{{failed, "failed"}, {cut, "cut"}, {interrupted, "interrupted in flight"}, {abandoned, "abandoned"}, {leaked, "with leaks"}} {
		if part.n > 0 {
			well = false
			text += fmt.Sprintf(", %d %s", part.n, part.text)
		}
	}
	if well && !r.Ended.IsZero() {
		text += ", all well"
	}
	return text
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
		return roundDuration(now.Sub(w.SoftStop)).String()
	}
	return roundDuration(w.Ended.Sub(w.SoftStop)).String()
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
		words = append(words, roundDuration(now.Sub(w.Ready)).String())
	}
	if w.InFlight > 0 {
		words = append(words, fmt.Sprintf("%d in flight", w.InFlight))
	}
	if w.Interrupted > 0 {
		words = append(words, fmt.Sprintf("%d interrupted", w.Interrupted))
	}
	if w.Leaks != "" {
		words = append(words, "leaked")
	}
	if w.Restarts > 0 {
		words = append(words, count(w.Restarts, "restart"))
	}
	if w.Unready != "" && w.Ended.IsZero() {
		words = append(words, "not ready: "+w.Unready)
	}
	if w.Status != "" && w.Ended.IsZero() {
		words = append(words, w.Status)
	}
	return printable(strings.Join(words, ", "))
}

// details are the lines below the waterfall.
func (w WorkerReport) details(out *strings.Builder) {
	if w.Err != "" && w.State != StateReady && !w.Group { // a group's workers tell themselves
		text := w.Err
		if !strings.HasPrefix(text, w.Name+":") {
			text = w.Name + ": " + text
		}
		out.WriteString(printable(text) + "\n")
	}
	if w.Stacks != "" {
		writeStacks(out, w.Stacks)
	}
	if w.Leaks != "" {
		out.WriteString(printable(w.Name) + ": left goroutines behind\n")
		writeStacks(out, w.Leaks)
	}
}

func writeStacks(out *strings.Builder, stacks string) {
	lines := strings.Split(strings.TrimRight(stacks, "\n"), "\n")
	for i, line := range lines {
		if i == mostStack {
			fmt.Fprintf(out, "    and %s more\n", count(len(lines)-i, "line"))
			return
		}
		out.WriteString("    " + printable(line) + "\n")
	}
}

// indented is the worker's name, the last element of its path where it is in a group, below the group's.
func indented(w WorkerReport) string {
	name := printable(w.Name)
	return strings.Repeat("  ", strings.Count(name, "/")) + name[strings.LastIndexByte(name, '/')+1:]
}

// printable keeps names and messages, which may come from anywhere, from steering the terminal.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) || c == '\t' {
			return c
		}
		return '?'
	}, text)
}

// wrap breaks text between words into lines of width columns, those after the first indented.
func wrap(text string, width int) string {
	var lines []string
	line := ""
	for _, word := range strings.Split(text, " ") {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
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

// pad makes text n columns wide.
func pad(text string, n int, b brushes) string {
	text = clip(text, n, b)
	return text + strings.Repeat(" ", n-utf8.RuneCountInString(text))
}

// clip shortens text to n columns.
func clip(text string, n int, b brushes) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + b.ellipsis
}
