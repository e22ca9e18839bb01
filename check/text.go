package check

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// WriteText writes the verdict, and below it the evidence, the advice and the timeline.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s\n", r.Scenario, r.Verdict, r.Summary)
	for _, f := range r.Evidence {
		fmt.Fprintf(&b, "    %s\n", f)
	}
	if r.Advice != "" {
		fmt.Fprintf(&b, "    %s\n", r.Advice)
	}
	if r.Timeline != nil && (r.Verdict == Fail || r.Verdict == Warn) {
		for _, m := range r.Timeline.Moments {
			fmt.Fprintf(&b, "    %12s  %-8s  %s\n", offset(m.At), m.Kind, m.Text)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// String is such as "slowest stop: 12.3 ms (of 20)".
func (f Fact) String() string {
	text := f.Name + ": " + strconv.FormatFloat(f.Value, 'g', 4, 64)
	if f.Unit != "" {
		text += " " + f.Unit
	}
	if f.Text != "" {
		text += " (" + f.Text + ")"
	}
	return text
}

// offset is a time from the signal.
func offset(d time.Duration) string {
	return fmt.Sprintf("%+.1f ms", float64(d)/1e6)
}
