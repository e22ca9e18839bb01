package main

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/text/texttest"
	"github.com/lastcall-go/lastcall/process"
)

// What a foreign control socket answers, and what an error quotes, is not obeyed.
func TestWhatIsShownIsNotObeyed(t *testing.T) {
	now := time.Now()
	for _, s := range append(texttest.Corpus, texttest.One()) {
		list := []control.Instance{{State: lastcall.StateReady, PID: 1, Family: 1}, {State: lastcall.StateStopping, Since: now}}
		for i := range list {
			texttest.Fill(&list[i], s)
		}
		shown := psTable(list, nil, now)
		shown = append(shown, psTable(list, (&shares{}).update(list, now), now)...)
		w := &waiting{list: list}
		shown = append(shown, w.stillThere(), oneLine(errors.New(s)), oneLine(errors.Join(errors.New(s), errors.New(s))))
		feature := process.Feature{}
		texttest.Fill(&feature, s)
		shown = append(shown, featureTable([]process.Feature{feature})...)
		var told, doc bytes.Buffer
		w.out = &told
		w.tell(s)
		shown = append(shown, strings.TrimSuffix(told.String(), "\n"))
		if err := printJSON(&doc, list, ""); err != nil {
			t.Fatal(err)
		}
		shown = append(shown, strings.TrimSuffix(doc.String(), "\n"))
		for _, line := range shown {
			if err := texttest.OneLine(line); err != nil {
				t.Errorf("with %q: %v", s, err)
			}
		}
	}
}

// safeArguments are what is written to a stream of this process though no function of package text made it, with the reason.
var safeArguments = map[string]string{
	"cmd/lastcall/check.go: indent(text.Lines(never.Output))": "lines of text.Lines",
	"cmd/lastcall/check.go: b.String()":                       "the scenarios, which are own words",
	"cmd/lastcall/check_show.go: text":                        "what check.Text made, see TestNoFormIsObeyed of package check",
	"cmd/lastcall/demo.go: result.Report":                     "a report, see TestNoFormIsObeyed of package timeline",
	"cmd/lastcall/demo.go: result.Count":                      "numbers",
	"cmd/lastcall/ps.go: line":                                "a row of psTable",
	"cmd/lastcall/ps.go: separator + strings.Join(psTable(list, shares.update(list, now), now), \"\\n\")": "rows of psTable",
	"cmd/lastcall/report.go: r.String()":                                             "a report, see TestNoFormIsObeyed of package timeline",
	"cmd/lastcall/root.go: build().Version":                                          "of this build",
	"cmd/lastcall/up.go: r":                                                          "a report, see TestNoFormIsObeyed of package timeline",
	"cmd/lastcall/version.go: strings.Join(lines, \"\\n\")":                          "rows of align",
	"cmd/lastcall/waiting.go: still":                                                 "what stillThere made with text.Outside",
	"cmd/lastcall/config.go: line":                                                   "a line of File.Warnings, which made it with text.Outside",
	"internal/pid1/dumbinit.go: \"[dumb-init] \" + format + \"\\n\"":                 "own words",
	"internal/pid1/dumbinit.go: args":                                                "numbers",
	"internal/pid1/tini.go: \"[WARN  tini (%d)] \" + format + \"\\n\"":               "own words",
	"internal/pid1/tini.go: append([]any{os.Getpid()}, args...)":                     "numbers, and own words",
	"internal/pid1/tini.go: os.Getpid()":                                             "a number",
	"internal/supervisor/unread.go: s.opts.Interrupt":                                "own words",
	"internal/pid1/dumbinit.go: dumbInitUsage":                                       "own words",
	"internal/pid1/dumbinit.go: \"dumb-init v\" + dumbInitVersion + \" (lastcall)\"": "own words",
	"internal/pid1/run.go: r.Name + \":\"":                                           "own words",
	"internal/pid1/tini.go: why":                                                     "the system's words for an errno",
	"main.go: c.drawn(report)":                                                       "a report, see TestNoFormIsObeyed of package timeline",
	"signal.go: c.drawn(c.group.Report())":                                           "a report, see TestNoFormIsObeyed of package timeline",
	"terminal.go: line":                                                              "what clipped made with text.Outside",
}

// Every call that writes to a stream of this process writes its own words, or what a function of package text made. Else it
// stands in safeArguments, with the reason, so that a new one is looked at.
func TestEveryWriteIsSafe(t *testing.T) {
	used := map[string]bool{}
	for _, dir := range []string{"cmd/lastcall", "internal/supervisor", "internal/supervisor/control", "internal/pid1", "."} {
		files, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files: %v", dir, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			for _, argument := range written(t, name) {
				one := path.Join(dir, filepath.Base(name)) + ": " + argument
				used[one] = true
				if safeArguments[one] == "" {
					t.Errorf("%q is written as it is: use package text, or say in safeArguments why not", one)
				}
			}
		}
	}
	for one := range safeArguments {
		if !used[one] {
			t.Errorf("%q is not written any more", one)
		}
	}
}

// written are the arguments of the calls of fmt.Fprint and the like in a file that write neither into a builder nor what is
// plainly safe.
func written(t *testing.T, name string) (arguments []string) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	source := func(n ast.Node) string {
		var b bytes.Buffer
		if err := printer.Fprint(&b, set, n); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		what := source(call.Fun)
		if !strings.HasPrefix(what, "fmt.Fprint") && what != "io.WriteString" {
			return true
		}
		if to := source(call.Args[0]); strings.HasPrefix(to, "&") || to == "b" {
			return true // a builder
		}
		for _, argument := range call.Args[1:] {
			if _, literal := argument.(*ast.BasicLit); literal {
				continue
			}
			made := strings.TrimPrefix(source(argument), "strings.TrimPrefix(")
			if !strings.HasPrefix(made, "text.") && !strings.HasPrefix(made, "oneLine(") {
				arguments = append(arguments, source(argument))
			}
		}
		return true
	})
	return arguments
}
