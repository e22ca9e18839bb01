package check

import (
	"fmt"
	"io"
	"strings"

	"github.com/lastcall-go/lastcall/internal/text"
)

// WriteTAP writes the report in version 14 of the Test Anything Protocol: a test point for each scenario. A warning is a point that is
// ok, and says so in its diagnostics.
func WriteTAP(w io.Writer, r *Report) error {
	var b strings.Builder
	b.WriteString("TAP version 14\n")
	fmt.Fprintf(&b, "1..%d\n", len(r.Results))
	fmt.Fprintf(&b, "# lastcall check %s\n# seed %d\n", text.Outside(strings.Join(r.Command, " ")), r.Seed)
	for i := range r.Results {
		one := &r.Results[i]
		point := "ok"
		if one.Verdict == Fail {
			point = "not ok"
		}
		fmt.Fprintf(&b, "%s %d - %s", point, i+1, tapText(one.Scenario))
		if one.Verdict == Skip {
			fmt.Fprintf(&b, " # SKIP %s\n", tapText(one.Summary))
			continue
		}
		fmt.Fprintf(&b, ": %s\n", tapText(one.Summary))
		b.WriteString("  ---\n")
		fmt.Fprintf(&b, "  severity: %s\n", text.Quote(string(one.Verdict)))
		if one.Code != "" {
			fmt.Fprintf(&b, "  code: %s\n", text.Quote(one.Code))
		}
		fmt.Fprintf(&b, "  duration_ms: %.3f\n", float64(one.Took)/1e6)
		if len(one.Evidence) > 0 {
			b.WriteString("  evidence:\n")
			for _, f := range one.Evidence {
				fmt.Fprintf(&b, "    - %s\n", text.Quote(f.String()))
			}
		}
		if one.Advice != "" {
			fmt.Fprintf(&b, "  advice: %s\n", text.Quote(one.Advice))
		}
		b.WriteString("  ...\n")
	}
	b.WriteString(outputLines("# output: ", r.Output))
	if r.Error != "" {
		fmt.Fprintf(&b, "Bail out! %s\n", text.Outside(r.Error))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// tapText is a text in which nothing is taken for a directive.
func tapText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "#", `\#`).Replace(text.Outside(s))
}
