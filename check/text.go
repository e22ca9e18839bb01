package check

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/internal/tty"
)

// Text is how a report is written for people. The zero value is for files. Nothing is said by colour alone, and whatever a
// terminal would obey in the words of the daemon is taken out.
type Text struct {
	Width int  // of a line, in columns; 0 means 100, and less than 40 means 40
	Color bool // the reader is a terminal that has colours
}

// WriteText writes the whole report: what was checked, a line for each scenario, what there is to do, the timeline of the worst
// life, and the verdict.
func WriteText(w io.Writer, r *Report, t Text) error {
	var b strings.Builder
	b.WriteString(t.unseen(r) + t.Head(r))
	for i := range r.Results {
		b.WriteString(t.Row(&r.Results[i]))
	}
	b.WriteString(t.rest(r))
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteText writes the verdict, the evidence and the advice, and the timeline below a warning or a failure.
func (r *Result) WriteText(w io.Writer) error {
	text := Text{}.problem(r)
	if r.Timeline != nil && (r.Verdict == Fail || r.Verdict == Warn) {
		text += Text{}.timeline(r.Timeline)
	}
	_, err := io.WriteString(w, text)
	return err
}

// Head is what comes before the table: it is known as soon as the first scenario begins.
func (t Text) Head(r *Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", t.paint(bold, "checking"), t.paint(bold, strings.Join(r.Command, " ")))
	entry := func(name, says string) { b.WriteString(t.hanging("  "+pad(name, 10), says)) }
	if r.Ready != "" {
		entry("ready", r.Ready)
	}
	if requests := r.requests(); requests != "" {
		entry("requests", requests)
	}
	entry("seed", fmt.Sprintf("%d: the same random choices again with --seed %d", r.Seed, r.Seed))
	b.WriteString("\n")
	return b.String()
}

// requests says where they go, and how that is known, "" if nothing was looked at.
func (r *Report) requests() string {
	switch {
	case r.URL == "" && r.Ready == "":
		return ""
	case r.URL == "":
		return "none found: no HTTP listener detected (set --url)"
	case r.Found:
		says := "to " + r.URL + ", which was found out; --url says another"
		if len(r.Others) > 0 {
			says += " (" + strings.Join(r.Others, ", ") + ")"
		}
		return says
	}
	return "to " + r.URL
}

// nameWidth is that of the longest scenario's name.
var nameWidth = func() (n int) {
	for _, s := range scenarios {
		n = max(n, len(s.Name))
	}
	return n
}()

// Row is the line of the table for a scenario that has been played.
func (t Text) Row(r *Result) string {
	return t.hanging(fmt.Sprintf("  %s  %s  %6s  ", t.verdict(r.Verdict), pad(r.Scenario, nameWidth), seconds(r.Took)), r.Summary)
}

// Running is that of one that is being played.
func (t Text) Running(scenario, doing string, since time.Duration) string {
	return fmt.Sprintf("  %s  %s  %6s  %s", t.paint(dim, "..  "), pad(scenario, nameWidth), seconds(since), text.Outside(doing))
}

// Scenario is what there is to know of one.
func (t Text) Scenario(s Scenario) string {
	text := t.paint(bold, s.Name) + "\n"
	for _, entry := range [][2]string{{"means", s.Means}, {"does", s.Does}, {"fails when", s.Fails}, {"needs", s.Needs}} {
		if entry[1] != "" {
			text += t.hanging("  "+pad(entry[0], 10)+"  ", entry[1])
		}
	}
	return text
}

// unseen is the line that says what was not looked at, "" if all was.
func (t Text) unseen(r *Report) string {
	unseen := r.Unseen()
	if unseen == "" {
		return ""
	}
	return t.hanging("not looked at: ", unseen) + "\n"
}

// Rest is what comes after the table. Its first line says what was not looked at.
func (t Text) Rest(r *Report) string {
	unseen := t.unseen(r)
	if unseen != "" {
		unseen = "\n" + strings.TrimSuffix(unseen, "\n")
	}
	return unseen + t.rest(r)
}

func (t Text) rest(r *Report) string {
	var b strings.Builder
	var said strings.Builder
	worst := r.Worst()
	for _, verdict := range []Verdict{Fail, Warn} {
		for i := range r.Results {
			if one := &r.Results[i]; one.Verdict == verdict {
				text := t.problem(one)
				said.WriteString(text)
				b.WriteString("\n" + text)
			}
		}
	}
	life := ""
	if worst != nil {
		life = t.timeline(worst)
	}
	b.WriteString(t.words(said.String() + life))
	if worst != nil {
		what := "the longest stop, in " + worst.Scenario
		if said.Len() > 0 {
			what = "the worst life, in " + worst.Scenario
		}
		b.WriteString("\n" + t.paint(bold, what) + "; times are from the signal\n" + life)
	}
	if r.Output != "" {
		b.WriteString("\n" + t.paint(bold, "its output") + "\n" + outputLines("    ", r.Output))
	}
	b.WriteString("\n" + t.hanging(t.headword(r)+": ", r.conclusion()))
	return b.String()
}

// problem is one result in full.
func (t Text) problem(r *Result) string {
	var b strings.Builder
	code := ""
	if r.Code != "" {
		code = " (" + text.Outside(r.Code) + ")"
	}
	b.WriteString(t.hanging(t.verdict(r.Verdict)+"  "+t.paint(bold, r.Scenario)+code+": ", r.Summary))
	entry := func(name, text string) {
		if text != "" {
			b.WriteString(t.hanging("    "+pad(name, 16), text))
		}
	}
	if r.Verdict == Fail || r.Verdict == Warn {
		entry("why it matters", r.Means)
		entry("what was done", r.Does)
	}
	name := "what was seen"
	for _, f := range r.Evidence {
		entry(name, f.String())
		name = ""
	}
	entry("what to do", r.Advice)
	return b.String()
}

// terms are explained to who has never read of them, where they are said.
var terms = []struct{ word, means string }{
	{"SIGTERM", "asks a program to end: kill, systemd, docker stop and Kubernetes send it. A program that handles it can finish first."},
	{"SIGINT", "is what Ctrl-C sends."},
	{"SIGQUIT", "asks some programs for the better of two stops, and by itself ends a program with a core dump."},
	{"SIGHUP", "tells that the terminal has gone, and many daemons to read their configuration again."},
	{"SIGKILL", "ends a program at once. It cannot be handled."},
	{"SIGPIPE", "comes to who writes into a pipe that nobody reads any more. Unless it is handled or ignored, it ends the program."},
	{"SIGSEGV", "is a crash: the program touched memory that is not its own."},
	{"SIGABRT", "is a crash that the program, or a library of it, asked for."},
	{"SIGSTOP", "freezes a program. It cannot be handled."},
	{"SIGCONT", "lets a program go on that SIGSTOP froze."},
	{"handler", "a function of the program that is called when a signal comes."},
	{"grace", "the grace period: what the daemon has for a stop before it is killed; --grace sets it."},
	{"PID 1", "is the first process of a container. Signals that it does not handle do not reach it."},
	{"orphan", "a process whose parent has ended: the nearest that reaps becomes its parent, in a container PID 1."},
	{"zombie", "a process that has ended and whose parent has not asked yet how."},
	{"keep-alive", "a connection that is kept for the next request."},
	{"readiness", "what tells a load balancer whether to send requests here."},
}

// words explains those terms that are in the text.
func (t Text) words(text string) string {
	var b strings.Builder
	for _, term := range terms {
		if strings.Contains(text, term.word) {
			b.WriteString(t.hanging("    "+pad(term.word, 16), term.means))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n" + t.paint(bold, "words") + "\n" + b.String()
}

// headword is the report's verdict.
func (t Text) headword(r *Report) string {
	if r.Error != "" {
		return t.paint(colors[Fail], "not finished")
	}
	return t.paint(colors[r.Verdict()], string(r.Verdict()))
}

// conclusion is the report in a sentence.
func (r *Report) conclusion() string {
	n := map[Verdict]int{}
	for _, result := range r.Results {
		n[result.Verdict]++
	}
	var parts []string
	if r.Error != "" {
		parts = append(parts, r.Error)
	}
	if n[Fail] > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", n[Fail]))
	}
	if n[Warn] > 0 {
		parts = append(parts, text.Count(n[Warn], "warning"))
	}
	if n[Pass] > 0 {
		parts = append(parts, fmt.Sprintf("%d passed", n[Pass]))
	}
	if n[Skip] > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", n[Skip]))
	}
	lives := "1 life"
	if r.Lives != 1 {
		lives = fmt.Sprintf("%d lives", r.Lives)
	}
	says := fmt.Sprintf("%s; %s in %s", strings.Join(parts, ", "), lives, seconds(r.Took))
	if r.Startup.Median > 0 {
		says += ", ready in " + offsetText(r.Startup.Median)
	}
	return says
}

// String is such as "slowest stop: 12.3 ms (of 20)".
func (f Fact) String() string {
	text := f.Name + ": " + number(f.Value)
	if f.Unit != "" {
		text += " " + f.Unit
	}
	if f.Text != "" {
		text += " (" + f.Text + ")"
	}
	return text
}

// number has four digits or so, and none of a count is left out.
func number(f float64) string {
	if f == float64(int64(f)) {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', max(4, len(strconv.FormatInt(int64(f), 10))), 64)
}

// offsetText is a time from the signal, or a short one: "12.3 ms", "1.23 s".
func offsetText(d time.Duration) string {
	if d.Abs() >= time.Second {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f ms", float64(d)/1e6)
}

// seconds is how long a scenario took.
func seconds(d time.Duration) string {
	if d >= time.Minute {
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}

// Ways to write on a terminal.
const (
	bold = "1"
	dim  = "2"
)

var colors = map[Verdict]string{Pass: "32", Warn: "33", Fail: "1;31", Skip: dim}

func (t Text) paint(how, what string) string {
	what = text.Outside(what)
	if !t.Color {
		return what
	}
	return "\x1b[" + how + "m" + what + "\x1b[m"
}

func (t Text) verdict(v Verdict) string { return t.paint(colors[v], pad(string(v), 4)) }

// hanging wraps a text behind a prefix, so that further lines begin where the first does. The prefix may be painted.
func (t Text) hanging(prefix, long string) string {
	width := max(cmp.Or(t.Width, 100), 40)
	indent := tty.Columns(prefix)
	at := indent
	if indent > width*2/3 { // a name that is longer than any of ours: further lines begin where there is room
		indent = 4
	}
	var b strings.Builder
	b.WriteString(prefix)
	for i, word := range strings.Fields(text.Outside(long)) {
		n := tty.Columns(word)
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

// pad is a text in one line, of n columns at the least.
func pad(what string, n int) string {
	return tty.Pad(text.Outside(what), n)
}

// outputLines are the lines of what a daemon wrote, each made plain.
func outputLines(before, output string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(output, "\n"), "\n") {
		if output != "" {
			b.WriteString(before + text.Outside(line) + "\n")
		}
	}
	return b.String()
}
