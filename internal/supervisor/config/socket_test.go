package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSocket(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("RUN", "/run/shop")
	for name, text := range map[string]string{"sock.procfile": "web: socket: x\n", ".env": "HERE=sub\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ name, text, want string }{
		{"none.yaml", "", ""},
		{"without.yaml", "processes: {web: {command: ./web}}\n", ""},
		{"absolute.yaml", "socket: /run/x.sock\n", "/run/x.sock"},
		{"relative.yaml", "{socket: x.sock}\n", filepath.Join(dir, "x.sock")},
		{"variables.yaml", "socket: \"${RUN}/$HERE/x\" # a comment\n", "/run/shop/sub/x"},
		{"invalid.yaml", "socket: x\nprocesses: {web: {comand: ./web, after: [db]}}\ngrace: never\n", filepath.Join(dir, "x")},
		{"broken.yaml", "processes: [\n\nsocket: x\ngrace: '", filepath.Join(dir, "x")},
		{"brokenelse.yaml", "processes:\n  socket: x\n a: '", ""},
		{"wrong.yaml", "socket: [a, b]\n", ""},
		{"list.yaml", "- socket: x\n", ""},
		{"sock.procfile", "web: ./web\n", ""},
	} {
		path := filepath.Join(dir, test.name)
		if test.text != "" {
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if file, socket, err := Socket(path); file != path || socket != test.want || err != nil {
			t.Errorf("%s: %q, %q, %v; want socket %q", test.name, file, socket, err, test.want)
		}
	}
	t.Chdir(dir)
	if _, _, err := Socket(""); err == nil {
		t.Error("nothing to read is no error")
	}
}
