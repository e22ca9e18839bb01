package watch

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// watched is a directory, and what is told of it.
type watched struct {
	t       *testing.T
	dir     string
	changes chan string
	last    string
	told    atomic.Int64
}

func watching(t *testing.T, paths []string, ignore ...string) *watched {
	t.Helper()
	w := &watched{t: t, dir: t.TempDir(), changes: make(chan string, 1000)}
	w.write("src/main.go", "one")
	w.write("single.conf", "one")
	for i := range paths {
		paths[i] = filepath.Join(w.dir, paths[i])
	}
	watcher, err := New(Options{Paths: paths, Ignore: ignore, Except: []string{filepath.Join(w.dir, "src/own")}, Quiet: 20 * time.Millisecond, Changed: func(file string) { w.told.Add(1); w.changes <- file }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(watcher.Close)
	return w
}

func (w *watched) write(name, text string) {
	w.t.Helper()
	name = filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// await is the next change, which must be of this file.
func (w *watched) await(name string) {
	w.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case got := <-w.changes:
			if got == filepath.Join(w.dir, name) {
				w.last = got
				return
			}
			if got == w.last { // the quiet time passed between two writes of the one before
				continue
			}
			w.t.Fatalf("%s changed, want %s", got, name)
		case <-limit:
			w.t.Fatalf("no change of %s after %v", name, patience)
		}
	}
}

func TestTree(t *testing.T) {
	w := watching(t, []string{"src"}, "*.log", "gen/*")
	w.write("src/main.go", "two")
	w.await("src/main.go")
	for _, ignored := range []string{"src/.git/index", "src/x.log", "src/backup~", "src/node_modules/x/y.js", "other/x", "src/own", "src/own.1"} {
		w.write(ignored, "x")
	}
	w.write("src/new.go", "x") // the first that counts
	w.await("src/new.go")
	if err := os.Remove(filepath.Join(w.dir, "src/new.go")); err != nil {
		t.Fatal(err)
	}
	w.await("src/new.go")
}

// What is made in a new directory counts, once that is watched.
func TestNewDirectory(t *testing.T) {
	w := watching(t, []string{"src"})
	if err := os.Mkdir(filepath.Join(w.dir, "src/sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.await("src/sub")
	w.write("src/sub/a.go", "x")
	w.await("src/sub/a.go")
}

// A file that is replaced, as editors do, is still watched; its neighbours are not.
func TestFile(t *testing.T) {
	w := watching(t, []string{"single.conf"})
	for range 2 {
		w.write("neighbour", "x")
		w.write("next", "two")
		if err := os.Rename(filepath.Join(w.dir, "next"), filepath.Join(w.dir, "single.conf")); err != nil {
			t.Fatal(err)
		}
		w.await("single.conf")
	}
}

// Changes are told when there have been none for a while, however many there were.
func TestQuiet(t *testing.T) {
	w := watching(t, []string{"src"})
	const writes = 500
	for n := range writes {
		w.write("src/main.go", string(rune('a'+n%26)))
	}
	w.await("src/main.go")
	w.write("src/last.go", "x")
	w.await("src/last.go")
	if n := w.told.Load(); n > writes/2 {
		t.Errorf("%d changes are told for %d writes", n, writes)
	}
}

func TestNothingToWatch(t *testing.T) {
	if _, err := New(Options{Paths: []string{filepath.Join(t.TempDir(), "none")}}); !os.IsNotExist(err) {
		t.Errorf("the error is %v", err)
	}
}
