//go:build unix

package safefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := Read(name, 5); string(text) != "12345" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	for path, want := range map[string]string{
		name:              "read " + name + ": too large",
		"/dev/zero":       "read /dev/zero: too large",
		dir:               "read " + dir + ": is a directory",
		name + "-missing": "open " + name + "-missing: no such file or directory",
	} {
		_, err := Read(path, 4)
		if perr := (*fs.PathError)(nil); !errors.As(err, &perr) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A FIFO is read like any file, and one whose writer is missing or silent holds nothing up.
func TestReadFIFO(t *testing.T) {
	before := readWithin
	readWithin = 50 * time.Millisecond
	defer func() { readWithin = before }()
	name := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := Read(name, 100); len(text) != 0 || err != nil {
		t.Errorf("without a writer: %q, %v", text, err)
	}
	writer, err := os.OpenFile(name, os.O_RDWR, 0) // which needs no reader
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if _, err := Read(name, 100); err == nil || !strings.HasSuffix(err.Error(), "its writer did not finish within 50ms") {
		t.Errorf("with a silent writer: %v", err)
	}
	if _, err := writer.WriteString("12345"); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(name, 4); !errors.Is(err, ErrTooLarge) { // at once, and not after its end
		t.Errorf("with more than the limit: %v", err)
	}
}
