//go:build unix

package output

import (
	"testing"
	"time"
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
