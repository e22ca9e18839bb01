package config

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lastcall-go/lastcall/internal/text/texttest"
)

// golden are the files of the golden archives that are called so, with the other files of their archives as an environment.
func golden(f *testing.F, wanted func(name string) bool) (texts []string) {
	f.Helper()
	archives, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(archives) == 0 {
		f.Fatalf("no golden files: %v", err)
	}
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if wanted(file.Name) {
				texts = append(texts, string(file.Data))
			}
		}
	}
	if len(texts) == 0 {
		f.Fatal("no golden file has that name")
	}
	return texts
}

// loaded reads files that are in memory, checks what every answer must have, and returns the file if it is right.
func loaded(t *testing.T, name string, files map[string]string) *File {
	t.Helper()
	file, err := Load(Options{Path: name, Environ: []string{"HOME=/home/me", "A=b"}, files: files})
	if err == nil {
		return file
	}
	wrong := (*Error)(nil)
	if !errors.As(err, &wrong) || len(wrong.Problems) == 0 {
		t.Fatalf("an error without problems: %v", err)
	}
	if len(wrong.Problems) > maxProblems+1 {
		t.Fatalf("%d problems are told", len(wrong.Problems))
	}
	if safe := texttest.Lines(wrong.Error()); safe != nil {
		t.Fatalf("the problems: %v", safe)
	}
	return nil
}

// sameAgain checks that what a right file prints is safe to be shown, and read back as the same.
func sameAgain(t *testing.T, file *File) {
	t.Helper()
	for name, printed := range map[string][]byte{"/printed.yaml": file.YAML(), "/printed.json": file.JSON()} {
		if !utf8.Valid(printed) {
			t.Fatalf("what is printed is not UTF-8: %q", printed)
		}
		if safe := texttest.Lines(string(printed)); safe != nil {
			t.Fatalf("%s: %v", name, safe)
		}
		again, err := Load(Options{Path: name, Profiles: profilesOf(file), Environ: []string{}, files: map[string]string{name: string(printed)}})
		if err != nil {
			t.Fatalf("what is printed is not understood: %v\n%s", err, printed)
		}
		again.Path, again.Dir, again.Sources, again.hidden, again.warnings = file.Path, file.Dir, file.Sources, file.hidden, file.warnings
		if !reflect.DeepEqual(file, again) {
			t.Fatalf("what is printed is another file:\n%s\nread back:\n%s", printed, again.YAML())
		}
	}
}

// Whatever stands in a file and in one that it may include, Load returns: the file, which is then printed and read back as the same, or its problems.
func FuzzYAML(f *testing.F) {
	for _, text := range golden(f, func(name string) bool { return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") }) {
		f.Add(text, "processes: {more: {command: x}}")
	}
	f.Add("processes: {a: &a {command: [*a]}}", "")
	f.Add("include: [in*.yaml]\nprocesses: {a: {command: x}}", "include: [lastcall.yaml]")
	for _, s := range texttest.Corpus {
		f.Add("processes: {a: {command: [x, "+asJSON(s)+"]}}", s)
	}
	f.Fuzz(func(t *testing.T, text, included string) {
		if len(text)+len(included) > 16<<10 { // more only takes longer
			return
		}
		if file := loaded(t, "/d/lastcall.yaml", map[string]string{"/d/lastcall.yaml": text, "/d/in.yaml": included, "/d/.env": "B=c\n"}); file != nil {
			sameAgain(t, file)
		}
	})
}

// Likewise for a Procfile and its .env.
func FuzzProcfile(f *testing.F) {
	for _, text := range golden(f, func(name string) bool { return strings.HasPrefix(filepath.Base(name), "Procfile") }) {
		f.Add(text, "PORT=3000\n")
	}
	for _, s := range texttest.Corpus {
		f.Add("web: "+s, "A="+s)
	}
	f.Fuzz(func(t *testing.T, text, env string) {
		if len(text)+len(env) > 16<<10 {
			return
		}
		if file := loaded(t, "/d/Procfile", map[string]string{"/d/Procfile": text, "/d/.env": env}); file != nil {
			sameAgain(t, file)
		}
	})
}

// A file of variables gives variables that a process can have, or problems; and what a value is stays what it is when it is
// quoted and read again.
func FuzzDotenv(f *testing.F) {
	for _, text := range golden(f, func(name string) bool { return strings.Contains(name, "env") }) {
		f.Add(text)
	}
	f.Add("A='b'\nexport C=\"d\\n\\\"\" # e\nF=$A ${B}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 16<<10 {
			return
		}
		read := func(text string) ([]string, []Problem) {
			file := &source{path: "/d/.env", shown: ".env", dir: "/d"}
			r := &reader{files: map[string]string{"/d/.env": text}, variables: lookup([]string{"A=b"})}
			return r.readEnv(file, position{file: file}, false, true), r.problems
		}
		env, problems := read(text)
		if len(problems) > 0 {
			return
		}
		again := make([]string, 0, len(env))
		for _, v := range env {
			name, value, ok := strings.Cut(v, "=")
			if !ok || !envName(name) || strings.ContainsRune(v, 0) || !utf8.ValidString(v) {
				t.Fatalf("%q is no variable", v)
			}
			again = append(again, name+`="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(value)+`"`)
		}
		if back, problems := read(strings.Join(again, "\n")); len(problems) > 0 || !slices.Equal(env, back) {
			t.Fatalf("%q is read back as %q: %v", env, back, problems)
		}
	})
}

// Variables are replaced, or it is said why not; a text without a dollar stays as it is.
func FuzzVariables(f *testing.F) {
	for _, text := range []string{"$A", "${A}", "${A:-b}", "${A:-${B:-c}}", "${A:?no}", "${A:+b}", "$$", "$", "${", "a $1 ${A-}", strings.Repeat("${A:-", 30)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4<<10 {
			return
		}
		doc := "processes: {a: {command: [x, " + asJSON(strings.ToValidUTF8(text, "")) + "]}}"
		file := loaded(t, "/d/lastcall.yaml", map[string]string{"/d/lastcall.yaml": doc})
		if file == nil {
			return
		}
		if got := file.Processes[0].Command.Args; !strings.Contains(text, "$") && utf8.ValidString(text) && len(got) == 2 && got[1] != text {
			t.Fatalf("%q became %q", text, got[1])
		}
		sameAgain(t, file)
	})
}

// The files in memory are read as those on the disk are: else the targets above prove nothing.
func TestFilesInMemoryAreAsOnDisk(t *testing.T) {
	files := map[string]string{
		"lastcall.yaml": "include: [in*.yaml]\nenv_file: [extra.env]\nprocesses: {a: {command: [x, $FROM]}}",
		"in.yaml":       "processes: {b: {command: y}}", ".env": "FROM=dotenv\n", "extra.env": "MORE=1\n",
	}
	dir := t.TempDir()
	memory := map[string]string{}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		memory[filepath.Join(dir, name)] = text
	}
	path := filepath.Join(dir, "lastcall.yaml")
	fromDisk, err := Load(Options{Path: path, Environ: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	fromMemory, err := Load(Options{Path: path, Environ: []string{}, files: maps.Clone(memory)})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromDisk, fromMemory) {
		t.Errorf("from the disk\n%s\nfrom memory\n%s", fromDisk.YAML(), fromMemory.YAML())
	}
}
