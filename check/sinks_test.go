package check

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall/internal/text/texttest"
)

// Whatever a daemon calls itself, writes or leaves behind: no form of a report is obeyed by a terminal or by the log of a CI
// system. Each text of the corpus stands in each place of the report, so that a field that is shown raw is found.
func TestNoFormIsObeyed(t *testing.T) {
	for _, s := range append(texttest.Corpus, texttest.One()) {
		for _, name := range []string{"broken", "never", "hostile"} {
			r := samples()[name]
			texttest.Fill(r, s)
			for form := range forms {
				shown := written(t, form, r)
				safe := texttest.Lines
				switch form {
				case "terminal":
					safe = texttest.Terminal
				case "github":
					safe = onlyOurCommands
				}
				if err := safe(shown); err != nil {
					t.Errorf("%s, with %q: %v", form, s, err)
				}
			}
			if err := texttest.OneLine(Text{}.Running("term", s, 0)); err != nil {
				t.Errorf("the line for what is being played, with %q: %v", s, err)
			}
		}
	}
}

// onlyOurCommands says what is wrong with annotations beyond that they are commands.
func onlyOurCommands(shown string) error {
	for line := range strings.Lines(shown) {
		line = strings.TrimPrefix(strings.TrimPrefix(line, "::error title="), "::warning title=")
		if err := texttest.Lines(line); err != nil {
			return err
		}
	}
	return nil
}

// Every exported function that writes a report is one of the forms, so that a new one is tested, too.
func TestFormsAreAll(t *testing.T) {
	known := map[string]bool{"WriteJSON": true, "WriteSVG": true, "WriteJUnit": true, "WriteTAP": true, "WriteMarkdown": true,
		"WriteGitHub": true, "WriteText": true, "WriteSARIF": true}
	eachFunc(t, func(f *ast.FuncDecl) {
		for _, p := range f.Type.Params.List {
			if s, ok := p.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Writer" && f.Name.IsExported() && !known[f.Name.Name] {
				t.Errorf("%s writes something and is not in forms", f.Name.Name)
			}
		}
	})
}

// eachFunc calls do with every function of this package.
func eachFunc(t *testing.T, do func(*ast.FuncDecl)) {
	t.Helper()
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of the package: %v", err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				do(f)
			}
		}
	}
}
