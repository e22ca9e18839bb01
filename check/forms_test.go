package check

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/lastcall-go/lastcall/internal/tty"
)

// elements are the names of the elements of an XML document, which must be well formed, and its text.
func elements(t *testing.T, text string) (names map[string]int, attributes map[string][]string) {
	t.Helper()
	names, attributes = map[string]int{}, map[string][]string{}
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return names, attributes
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if e, ok := token.(xml.StartElement); ok {
			names[e.Name.Local]++
			for _, a := range e.Attr {
				attributes[e.Name.Local+"."+a.Name.Local] = append(attributes[e.Name.Local+"."+a.Name.Local], a.Value)
			}
		}
	}
}

// The verdicts become what readers of JUnit know, and nothing that a daemon says breaks the file.
func TestJUnit(t *testing.T) {
	for name, want := range map[string]map[string]int{
		"broken":  {"testcase": 4, "failure": 1, "skipped": 1, "system-out": 1, "error": 0},
		"fine":    {"testcase": 1, "failure": 0, "skipped": 0, "system-out": 0, "error": 0},
		"cut":     {"testcase": 1, "failure": 0, "skipped": 0, "system-out": 0, "error": 1},
		"hostile": {"testcase": 5, "failure": 1, "skipped": 1, "system-out": 1, "error": 1},
	} {
		names, attributes := elements(t, written(t, "xml", samples()[name]))
		for element, n := range want {
			if names[element] != n {
				t.Errorf("%s has %d of %s, want %d", name, names[element], element, n)
			}
		}
		if len(names) > 9 {
			t.Errorf("%s has elements of its own: %v", name, names)
		}
		if name == "broken" {
			if got := attributes["testsuite.failures"][0] + attributes["testsuite.skipped"][0] + attributes["testsuite.tests"][0]; got != "114" {
				t.Errorf("the suite counts %s, want 1, 1 and 4", got)
			}
		}
	}
}

// The picture is well formed, says what it is to who cannot see it, and needs nothing else.
func TestSVG(t *testing.T) {
	allowed := map[string]bool{"svg": true, "title": true, "desc": true, "style": true, "rect": true, "text": true, "path": true, "circle": true, "g": true}
	for name, r := range samples() {
		text := written(t, "svg", r)
		names, attributes := elements(t, text)
		for element := range names {
			if !allowed[element] {
				t.Errorf("%s has an element %s", name, element)
			}
		}
		if names["desc"] != 1 || names["title"] < 1+len(r.Results) {
			t.Errorf("%s has %d titles and %d descriptions for %d results", name, names["title"], names["desc"], len(r.Results))
		}
		if strings.Contains(strings.ReplaceAll(text, "http://www.w3.org/2000/svg", ""), "url(") || len(attributes["svg.viewBox"]) != 1 {
			t.Errorf("%s needs something else, or has no view box", name)
		}
		for _, result := range r.Results {
			if v := string(result.Verdict); name != "hostile" && !strings.Contains(text, ">"+v+"<") {
				t.Errorf("%s does not say %s in words", name, v)
			}
		}
	}
}

// A reader of TAP sees a point for each scenario, and none that the daemon made up.
func TestTAP(t *testing.T) {
	point := regexp.MustCompile(`^(ok|not ok) (\d+) - (?:[^#\\]|\\.)*?( # SKIP .*)?$`)
	for name, r := range samples() {
		lines := strings.Split(strings.TrimSuffix(written(t, "tap", r), "\n"), "\n")
		if lines[0] != "TAP version 14" {
			t.Errorf("%s begins with %q", name, lines[0])
		}
		var points []string
		bails := 0
		for _, line := range lines[2:] {
			switch {
			case strings.HasPrefix(line, "# "), strings.HasPrefix(line, "  "):
			case strings.HasPrefix(line, "Bail out! "):
				bails++
			default:
				points = append(points, line)
			}
		}
		if len(points) != len(r.Results) || (bails == 1) != (r.Error != "") {
			t.Fatalf("%s has %d points and %d ends for %d results:\n%s", name, len(points), bails, len(r.Results), strings.Join(lines, "\n"))
		}
		for i, line := range points {
			m := point.FindStringSubmatch(line)
			if m == nil {
				t.Errorf("%s: this is no point: %s", name, line)
				continue
			}
			v := r.Results[i].Verdict
			if (m[1] == "not ok") != (v == Fail) || (m[3] != "") != (v == Skip) {
				t.Errorf("%s: %s is said so: %s", name, v, line)
			}
		}
	}
}

// A command is one line, whatever the daemon says.
func TestGitHub(t *testing.T) {
	line := regexp.MustCompile(`^::(error|warning) title=[^:,\r\n]*(%3A[^:,\r\n]*)*::[^\r\n]*$`)
	for name, want := range map[string]int{"broken": 2, "fine": 0, "cut": 1, "hostile": 3} {
		text := written(t, "github", samples()[name])
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if want == 0 && text != "" || want > 0 && len(lines) != want {
			t.Errorf("%s has %d commands, want %d:\n%s", name, len(lines), want, text)
		}
		for _, one := range lines {
			if want > 0 && !line.MatchString(one) {
				t.Errorf("%s: this is no command: %q", name, one)
			}
		}
	}
}

// No terminal obeys what a daemon says, and Markdown takes none of it for its own.
func TestTextIsHarmless(t *testing.T) {
	r := samples()["hostile"]
	for _, form := range []string{"txt", "md", "tap", "github"} {
		for _, c := range written(t, form, r) {
			if unicode.IsControl(c) && c != '\n' {
				t.Errorf("%s has %q", form, c)
				break
			}
		}
	}
	text := strings.ReplaceAll(written(t, "md", r), "&#64;", "")
	for _, bad := range []string{"@", "<b>", "\n* li", "\n::error"} {
		if strings.Contains(text, bad) {
			t.Errorf("Markdown has %q:\n%s", bad, text)
		}
	}
	rows := regexp.MustCompile(`(?m)^\| .*$`).FindAllString(text, -1)
	if len(rows) != 1+len(r.Results) {
		t.Errorf("%d rows, want %d", len(rows), 1+len(r.Results))
	}
	for _, row := range rows {
		if n := len(regexp.MustCompile(`(^|[^\\])(\\\\)*\|`).FindAllString(row, -1)); n != 4 {
			t.Errorf("a row has %d bars, want 4: %s", n, row)
		}
	}
}

// Lines fit, and colours are only where they are asked for.
func TestTextFits(t *testing.T) {
	r := samples()["broken"]
	for width, text := range map[int]string{72: written(t, "terminal", r), 100: written(t, "txt", r)} {
		for _, line := range strings.Split(text, "\n") {
			if n := tty.Columns(line); n > width {
				t.Errorf("%d columns where %d are: %q", n, width, line)
			}
		}
	}
	plain := written(t, "txt", r)
	if strings.Contains(plain, "\x1b") {
		t.Error("a file has escapes")
	}
	if got := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(written(t, "terminal", r), ""); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(plain), " ") {
		t.Error("what a terminal shows says something else than a file does")
	}
}

// Threads that end together are one line.
func TestCondense(t *testing.T) {
	var moments []Moment
	for i := range 300 {
		moments = append(moments, at(float64(i), KindThread, "worker["+strings.Repeat("1", i%4+1)+"]"))
	}
	moments = append(moments, at(400, KindSignal, "SIGTERM"), at(401, KindSignal, "SIGCONT"), at(402, KindExit, ""))
	short := condense(moments)
	if len(short) != 4 || short[0].Text != "300: worker x300, the last at 299.0 ms" || len(short[0].all) != 300 {
		t.Errorf("condensed to %d: %+v", len(short), short[0].Moment)
	}
}
