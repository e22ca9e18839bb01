package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAdvice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lastcall.yaml")
	if err := os.WriteFile(path, []byte(`processes:
  web: { command: web, user: www }
  db: { command: db, user: "70:70" }
  root: { command: x, user: root }
  own: { command: x }
  quiet: { command: x, user: www, no_new_privs: false }
  good: { command: x, user: www, no_new_privs: true }
`), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := Load(Options{Path: path, Environ: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	if got := file.Advice(); len(got) != 1 || !strings.HasPrefix(got[0], "advice user-no-new-privs: web, db: ") {
		t.Errorf("got %q", got)
	}
	file.Processes = file.Processes[2:]
	if got := file.Advice(); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}
