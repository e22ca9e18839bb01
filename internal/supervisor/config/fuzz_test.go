package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Whatever stands in a file, Load returns: the file, which is then printed and read back as the same, or its problems.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden files: %v", err)
	}
	for _, name := range files {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			f.Add(string(file.Data), "A=1\n")
		}
	}
	f.Add("processes: {a: &a {command: [*a]}}", "")
	f.Fuzz(func(t *testing.T, text, env string) {
		dir := t.TempDir()
		for name, text := range map[string]string{"lastcall.yaml": text, "Procfile": text, ".env": env} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"lastcall.yaml", "Procfile"} {
			file, err := Load(Options{Path: filepath.Join(dir, name), Environ: []string{"HOME=/home/me"}})
			if err != nil {
				if e, ok := err.(*Error); !ok || len(e.Problems) == 0 {
					t.Fatalf("%s: an error without problems: %v", name, err)
				}
				continue
			}
			roundTrip(t, t.TempDir(), file)
		}
	})
}
