package config

import (
	"os"
	"path/filepath"
	"reflect"
)

// roundTrip checks that what a file prints is read back as the same file, from YAML and from JSON, in another place.
func roundTrip(t fataler, dir string, file *File) {
	t.Helper()
	for name, text := range map[string][]byte{"printed.yaml": file.YAML(), "printed.json": file.JSON()} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatalf("%v", err)
		}
		again, err := Load(Options{Path: path, Profiles: profilesOf(file), Environ: []string{}})
		if err != nil {
			t.Fatalf("what is printed is not understood: %v\n%s", err, text)
		}
		again.Path, again.Dir, again.Sources, again.hidden, again.warnings = file.Path, file.Dir, file.Sources, file.hidden, file.warnings
		if !reflect.DeepEqual(file, again) {
			t.Fatalf("what is printed is another file:\n%s\nread back:\n%s", text, again.YAML())
		}
	}
}

// A fataler is a test, also one of package rapid.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// profilesOf are those of all processes.
func profilesOf(file *File) []string {
	var profiles []string
	for _, p := range file.Processes {
		profiles = append(profiles, p.Profiles...)
	}
	return profiles
}
