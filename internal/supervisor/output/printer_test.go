//go:build unix

package output

import (
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/internal/text/texttest"
)

// What is printed later looks as it did at first.
func TestPrinter(t *testing.T) {
	now := time.Now()
	for _, o := range []Options{{Times: "none"}, {Times: "none", Format: "json"}, {Times: "none", Width: 12}} {
		first, again := newStdout(t), newStdout(t)
		firstEnd, againEnd := first.all(t), again.all(t)
		o.Out = first.w
		m := newMux(t, o)
		web := newSource(t, m, "web-1", SourceOptions{Process: "web"})
		write(t, web, "one \"line\"\nand\tanother\n")
		flush(t, web)
		m.Message("web-1: it ends")
		closeMux(t, m)
		o.Out = again.w
		p := NewPrinter(o)
		for _, text := range []string{`one "line"`, "and\tanother"} {
			if err := p.Print(now, "web", "web-1", text); err != nil {
				t.Error(err)
			}
		}
		if err := p.Print(now, "", "", "web-1: it ends"); err != nil {
			t.Error(err)
		}
		equal(t, againEnd(), firstEnd())
	}
}

// Whoever answers at a control socket, and whatever a message quotes: one line in, one line out, and nothing for a terminal.
// On the log of a CI system the lines of children are no commands; elsewhere a pipe gets them as they were written.
func TestNothingIsObeyed(t *testing.T) {
	for _, ci := range []string{"", "true"} {
		t.Setenv("GITHUB_ACTIONS", ci)
		for _, format := range []string{"text", "json"} {
			o := Options{Times: "none", Format: format}
			out := newStdout(t)
			end := out.all(t)
			o.Out = out.w
			m := newMux(t, o)
			p := NewPrinter(o)
			lines := 0
			for _, s := range texttest.Corpus {
				m.Message(s)
				if err := p.Print(time.Now(), "", "", s); err != nil {
					t.Fatal(err)
				}
				if ci != "" || format == "json" {
					if err := p.Print(time.Now(), s, s, "x"); err != nil {
						t.Fatal(err)
					}
					lines++
				}
				lines += 2
			}
			closeMux(t, m)
			shown := end()
			if err := texttest.Lines(shown); err != nil && (ci != "" || format == "text") {
				t.Errorf("GITHUB_ACTIONS=%q, %s: %v", ci, format, err)
			}
			if n := strings.Count(shown, "\n"); n != lines {
				t.Errorf("GITHUB_ACTIONS=%q, %s: %d lines, want %d", ci, format, n, lines)
			}
		}
	}
}

// In the log of a CI system no line of a child is a command, though it has all that was written.
func TestChildrenAreNotObeyedInCI(t *testing.T) {
	t.Setenv("GITHUB_ACTIONS", "true")
	for _, format := range []string{"text", "json"} {
		out := newStdout(t)
		end := out.all(t)
		m := newMux(t, Options{Out: out.w, Times: "none", Format: format})
		web := newSource(t, m, "web-1", SourceOptions{Process: "web"})
		write(t, web, "%s", "::error::a\nx ##[add-mask]b\nprogress\r::add-mask::c\n##vso[task.x]d\nstd::string ## e\n")
		flush(t, web)
		closeMux(t, m)
		shown := end()
		if err := texttest.Lines(strings.ReplaceAll(shown, "\r", "\n")); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if !strings.Contains(shown, "std::string ## e") || strings.Count(shown, "\n") != 5 {
			t.Errorf("%s: %q", format, shown)
		}
	}
}
