package config

import (
	"slices"
	"strings"
	"testing"
)

// otherProcfiles has what seven readers of a Procfile make of it: foreman 0.90, honcho 2, forego, node-foreman, goreman 0.3, hivemind
// and overmind, in this order. The text, the name of a process, its commands, and ours.
var otherProcfiles = []struct {
	text, name string
	others     others
	ours       string
}{
	{`web: x`, `web`, others{`x`, `x`, `x`, `x`, `x`, `x`, `x`}, `x`},
	{`web:x`, `web`, others{`x`, `x`, `x`, `x`, `x`, absent, absent}, `x`},
	{`web:   x y`, `web`, others{`x y`, `x y`, `x y`, `x y`, `x y`, `x y`, `x y`}, `x y`},
	{"web:\tx", `web`, others{`x`, `x`, `x`, `x`, `x`, `x`, `x`}, `x`},
	{`web: x:y`, `web`, others{`x:y`, `x:y`, `x:y`, `x:y`, `x:y`, `x:y`, `x:y`}, `x:y`},
	{`foo-bar: x`, `foo-bar`, others{`x`, `x`, `x`, `x`, `x`, `x`, `x`}, `x`},
	{`foo_bar: x`, `foo_bar`, others{`x`, `x`, `x`, `x`, `x`, `x`, `x`}, `x`},
	{`-foo_bar: x`, `-foo_bar`, others{`x`, `x`, `x`, `x`, `x`, `x`, `x`}, `x`},
	{`1web: x`, `1web`, others{`x`, `x`, `x`, `x`, `x`, `x`, `x`}, `x`},
	{`WEB: x`, `WEB`, others{`x`, `x`, `x`, `x`, `x`, `x`, `x`}, `x`},
	{`# web: x`, `web`, others{absent, absent, absent, absent, absent, absent, absent}, absent},
	{"; web: x\na: b", `a`, others{`b`, `b`, `b`, refused, `b`, `b`, `b`}, `b`},
	{"; see this\na: b", `a`, others{`b`, `b`, `b`, refused, `b`, `b`, `b`}, `b`},
	{"; see: this\na: b", `a`, others{`b`, `b`, `b`, refused, `b`, `b`, `b`}, `b`},
	{"this is junk\nweb: x", `web`, others{`x`, `x`, `x`, refused, `x`, `x`, `x`}, `x`},
	{"web:\na: b", `a`, others{`b`, `b`, `b`, refused, `b`, `b`, `b`}, `b`},
	{"web:\na: b", `web`, others{absent, absent, absent, refused, ``, absent, absent}, absent},
	{"web: \na: b", `a`, others{`b`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{"web: x\r\na: b", `web`, others{`x`, `x`, `x`, `x`, `x`, `x`, `x`}, `x`},
	{"web: x\r\na: b", `a`, others{`b`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{"  web: x\na: b", `a`, others{`b`, `b`, `b`, refused, `b`, `b`, `b`}, `b`},
	{"web : x\na: b", `a`, others{`b`, `b`, `b`, refused, `b`, `b`, `b`}, `b`},
	{"we.b: x\na: b", `a`, others{`b`, `b`, `b`, refused, `b`, `b`, `b`}, `b`},
	{"we b: x\na: b", `a`, others{`b`, `b`, `b`, refused, `b`, `b`, `b`}, `b`},
	{"we b: x\na: b", `we b`, others{absent, absent, absent, refused, `x`, absent, absent}, absent},
	{`web: x # c`, `web`, others{`x # c`, `x # c`, `x # c`, `x # c`, `x # c`, `x # c`, `x # c`}, `x # c`},
	{`web: 'a b' "c"`, `web`, others{`'a b' "c"`, `'a b' "c"`, `'a b' "c"`, `'a b' "c"`, `'a b' "c"`, `'a b' "c"`, `'a b' "c"`}, `'a b' "c"`},
	{`web: x $A ${B} && y`, `web`, others{`x $A ${B} && y`, `x $A ${B} && y`, `x $A ${B} && y`, `x $A ${B} && y`, `x $A ${B} && y`, `x $A ${B} && y`, `x $A ${B} && y`}, `x $A ${B} && y`},
	{"web: x\n\n \na: b", `a`, others{`b`, `b`, `b`, refused, `b`, `b`, `b`}, `b`},
	{"web x\na: b", `a`, others{`b`, `b`, `b`, refused, `b`, `b`, `b`}, `b`},
	{": x\na: b", `a`, others{`b`, `b`, `b`, refused, `b`, `b`, `b`}, `b`},
	{"web: x\\\ny\na: b", `a`, others{`b`, `b`, `b`, refused, `b`, `b`, `b`}, `b`},
	{"web: \u00e9", `web`, others{"\u00e9", "\u00e9", "\u00e9", "\u00e9", "\u00e9", "\u00e9", "\u00e9"}, "\u00e9"},
}

// Where most of the others agree on a Procfile, we agree with them.
func TestProcfileReadsAsOthersDo(t *testing.T) {
	for _, c := range otherProcfiles {
		got := absent
		for _, p := range loadProcfile(t, c.text).Processes {
			if p.Name == c.name {
				got = p.Command.Shell
			}
		}
		if majority, ok := c.others.majority(); got != c.ours || ok && got != majority {
			t.Errorf("%q: %s is %q, want %q, and for most others %q", c.text, c.name, got, c.ours, majority)
		}
	}
}

// What is skipped in a Procfile is said; comments are not.
func TestProcfileWarnings(t *testing.T) {
	file := loadProcfile(t, "\ufeff# web: a\r\n; web: b\n\njunk\rempty:\na b: c\n: d\nweb: e")
	want := []string{
		"Procfile:4:1: skipped: not NAME: COMMAND",
		"Procfile:5:1: skipped: not NAME: COMMAND",
		"Procfile:6:1: skipped: the name \"a b\" contains ' '; letters, digits, _, . and - are allowed",
		"Procfile:7:1: skipped: the name is empty",
	}
	if got := file.Warnings(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got, want := file.Processes[0].Env, []string{"PS=web.1", "PORT=5000"}; len(file.Processes) != 1 || !slices.Equal(got, want) {
		t.Errorf("%d processes, the first with %q, want %q", len(file.Processes), got, want)
	}
}

// loadProcfile reads text as a Procfile.
func loadProcfile(t *testing.T, text string) *File {
	t.Helper()
	file, err := Load(Options{Path: "/d/Procfile", Environ: []string{}, files: map[string]string{"/d/Procfile": text + "\n\nlast: x"}})
	if err != nil {
		t.Fatal(err)
	}
	file.Processes = file.Processes[:len(file.Processes)-1]
	for i := range file.warnings {
		file.warnings[i].File = "Procfile"
	}
	return file
}
