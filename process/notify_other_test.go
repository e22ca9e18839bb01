//go:build unix && !linux

package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The path of a socket holds 103 bytes: below a long TMPDIR, as macOS has, the socket is made in a short directory.
func TestNotifyBelowALongDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", longestSocket))
	noError(t, os.Mkdir(dir, 0o700))
	t.Setenv("TMPDIR", dir)
	s, err := serveNotify()
	noError(t, err)
	defer s.close()
	if len(s.name) > longestSocket {
		t.Errorf("its path has %d bytes: %s", len(s.name), s.name)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in %s: %v, %v", dir, left, err)
	}
}
