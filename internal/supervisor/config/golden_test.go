package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each file in testdata/right is a directory with a file that Load understands, and what it prints then: want.yaml. Each
// in testdata/wrong is one with a file that it does not, and the problems: want. A file environ is the environment, and
// profiles those that are chosen.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, golden := range files {
		kind, name := filepath.Split(golden)
		t.Run(filepath.Base(kind)+"/"+strings.TrimSuffix(name, ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(filepath.Join(home, golden))
			if err != nil {
				t.Fatal(err)
			}
			want := archive.Files[len(archive.Files)-1]
			archive.Files = archive.Files[:len(archive.Files)-1]
			dir := unpack(t, archive)
			opts := Options{Environ: strings.Fields(read(t, filepath.Join(dir, "environ"))), Profiles: strings.Fields(read(t, filepath.Join(dir, "profiles")))}
			if opts.Environ == nil {
				opts.Environ = []string{}
			}
			if len(opts.Profiles) == 0 {
				opts.Profiles = nil
			}
			file, err := Load(opts)
			got := ""
			if err != nil {
				got = err.Error() + "\n"
			} else {
				got = string(file.YAML())
				roundTrip(t, t.TempDir(), file)
			}
			if wrong := err != nil; wrong != strings.Contains(kind, "wrong") {
				t.Errorf("it is understood: %t\n%s", !wrong, got)
			}
			got = strings.ReplaceAll(got, dir, "$DIR")
			if *update {
				want.Data = []byte(got)
				archive.Files = append(archive.Files, want)
				if err := os.WriteFile(filepath.Join(home, golden), txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want.Data) {
				t.Errorf("got\n%s\nwant\n%s", got, want.Data)
			}
		})
	}
}

// unpack makes a directory of an archive, and the current one.
func unpack(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "shop")
	for _, f := range archive.Files {
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir
}

// read is the text of a file, "" if there is none.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}
