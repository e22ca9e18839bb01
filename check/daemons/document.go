//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall/check"
	"github.com/lastcall-go/lastcall/process"
)

const head = `# How well known daemons stop

<!-- written by go run ./check/daemons -write; do not edit -->

What ` + "`lastcall check`" + ` says of daemons that many run, as Debian packages them and with the settings that are shown; Node.js and Go with a
server of a few lines, in [check/daemons/apps](../check/daemons/apps). A dash is a scenario that does not apply: load needs HTTP, and none of
them has a readiness URL of its own. Below the table are the warnings and failures, what they rest on, and what was found by looking closer.

None of this is a fault by itself. It says what somebody meets who stops the daemon in this way, and what a supervisor, a balancer or a client
then has to make up for.

`

const legend = `
**pass** as it should be · **warn** it works, and could hurt somebody · **FAIL** somebody loses something at a stop

To see it again: ` + "`go run ./check/daemons -install -only nginx`" + `, or by hand with the command at each daemon. What is measured differs
from run to run, and a race is not met in every one; each that is shown was met.
`

// writeDocument writes the table, and below it a section for each daemon.
func writeDocument(w io.Writer, all []found) error {
	var b bytes.Buffer
	b.WriteString(head)
	b.WriteString("| |")
	for _, f := range all {
		fmt.Fprintf(&b, " [%s](#%s) |", f.name, anchor(f.name))
	}
	b.WriteString("\n|---|" + strings.Repeat(":-:|", len(all)) + "\n| version |")
	for _, f := range all {
		fmt.Fprintf(&b, " %s |", f.Version)
	}
	b.WriteString("\n")
	for _, s := range check.Scenarios() {
		fmt.Fprintf(&b, "| `%s` |", s.Name)
		for _, f := range all {
			fmt.Fprintf(&b, " %s |", cell(f.result(s.Name)))
		}
		b.WriteString("\n")
	}
	b.WriteString(legend)
	for _, f := range all {
		f.section(&b)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// result is that of a scenario; nil if it was not played.
func (f *found) result(scenario string) *check.Result {
	for i := range f.Report.Results {
		if f.Report.Results[i].Scenario == scenario {
			return &f.Report.Results[i]
		}
	}
	return nil
}

func cell(r *check.Result) string {
	switch {
	case r == nil || r.Verdict == check.Skip:
		return "–"
	case r.Verdict == check.Fail:
		return "**FAIL**"
	}
	return string(r.Verdict)
}

// section is what there is to say of one daemon.
func (f *found) section(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n## %s\n\nVersion %s.", f.name, f.Version)
	if term := f.result("again"); term != nil && term.Verdict == check.Pass {
		fmt.Fprintf(b, " %s.", capital(term.Summary))
	}
	fmt.Fprintf(b, "\n\n```sh\n%s\n```\n", f.daemon.byHand())
	good := true
	for i := range f.Report.Results {
		r := &f.Report.Results[i]
		if r.Verdict != check.Fail && r.Verdict != check.Warn {
			continue
		}
		good = false
		fmt.Fprintf(b, "\n- `%s`: %s: %s.", r.Scenario, cell(r), r.Summary)
		var facts []string
		for _, fact := range r.Evidence {
			facts = append(facts, fact.String())
		}
		if len(facts) > 0 {
			fmt.Fprintf(b, "\n  *%s*", strings.Join(facts, "; "))
		}
		if why := f.surprises[r.Scenario]; why != "" {
			fmt.Fprintf(b, "\n  %s", why)
		}
		b.WriteString("\n")
	}
	if good {
		b.WriteString("\nNothing to say: it stops well.\n")
	}
	if why := f.surprises[""]; why != "" {
		fmt.Fprintf(b, "\n%s\n", why)
	}
}

// byHand is the same check as a command line.
func (d *daemon) byHand() string {
	c := d.check(shown)
	line := "lastcall check"
	add := func(name, value string) {
		if strings.Contains(value, " ") {
			value = "'" + value + "'"
		}
		if value != "" {
			line += " --" + name + " " + value
		}
	}
	add("url", c.URL)
	add("ready", c.Ready)
	add("slow", c.Slow)
	add("skip", strings.Join(c.Skip, ","))
	if d.signal != 0 && d.signal != syscall.SIGTERM {
		add("signal", strings.TrimPrefix(process.SignalName(d.signal), "SIG"))
	}
	line += " --"
	for _, arg := range d.command(shown) {
		if strings.ContainsAny(arg, " ;") {
			arg = "'" + arg + "'"
		}
		line += " " + arg
	}
	return line
}

// anchor is how a heading is linked to, on GitHub.
func anchor(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-':
			b.WriteRune(r)
		}
	}
	return b.String()
}

func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
