package check

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
)

// WriteJUnit writes the report as JUnit XML: a test case for each scenario. A warning is a test that passed, with what there is to
// say of it in its output. A check that ended early has an error more.
func WriteJUnit(w io.Writer, r *Report) error {
	var b strings.Builder
	n := map[Verdict]int{}
	for _, result := range r.Results {
		n[result.Verdict]++
	}
	tests, errs := len(r.Results), 0
	if r.Error != "" {
		tests, errs = tests+1, 1
	}
	counts := fmt.Sprintf(`tests="%d" failures="%d" errors="%d" skipped="%d" time="%.3f"`, tests, n[Fail], errs, n[Skip], r.Took.Seconds())
	b.WriteString(xml.Header)
	fmt.Fprintf(&b, "<testsuites name=\"lastcall check\" %s>\n", counts)
	fmt.Fprintf(&b, "  <testsuite name=\"%s\" timestamp=\"%s\" %s>\n", escape(strings.Join(r.Command, " ")), r.Started.UTC().Format(time.RFC3339), counts)
	b.WriteString("    <properties>\n")
	for _, p := range [][2]string{{"seed", fmt.Sprint(r.Seed)}, {"ready", r.Ready}, {"requests", r.requests()}, {"system", r.System}, {"lives", fmt.Sprint(r.Lives)}} {
		if p[1] == "" {
			continue
		}
		fmt.Fprintf(&b, "      <property name=\"%s\" value=\"%s\"/>\n", p[0], escape(p[1]))
	}
	b.WriteString("    </properties>\n")
	for i := range r.Results {
		one := &r.Results[i]
		fmt.Fprintf(&b, "    <testcase classname=\"lastcall.check\" name=\"%s\" time=\"%.3f\"", escape(one.Scenario), one.Took.Seconds())
		var said strings.Builder
		_ = one.WriteText(&said) // a Builder does not fail
		switch one.Verdict {
		case Fail:
			fmt.Fprintf(&b, ">\n      <failure type=\"%s\" message=\"%s\">%s</failure>\n    </testcase>\n", escape(cmp.Or(one.Code, "fail")), escape(one.Summary), escapeText(said.String()))
		case Skip:
			fmt.Fprintf(&b, ">\n      <skipped message=\"%s\"/>\n    </testcase>\n", escape(one.Summary))
		case Warn:
			fmt.Fprintf(&b, ">\n      <system-out>%s</system-out>\n    </testcase>\n", escapeText(said.String()))
		default:
			b.WriteString("/>\n")
		}
	}
	if r.Error != "" {
		output := "/>"
		if r.Output != "" {
			output = ">" + escapeText(r.Output) + "</error>"
		}
		fmt.Fprintf(&b, "    <testcase classname=\"lastcall.check\" name=\"to the end\" time=\"0\">\n      <error type=\"not finished\" message=\"%s\"%s\n    </testcase>\n", escape(r.Error), output)
	}
	b.WriteString("  </testsuite>\n</testsuites>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// escape is a text from outside as XML holds it, in an attribute as well.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text.Lines(s))) // a Builder does not fail
	return b.String()
}

// escapeText leaves the line breaks as they are.
func escapeText(s string) string { return strings.ReplaceAll(escape(s), "&#xA;", "\n") }
