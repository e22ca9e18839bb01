//go:build unix

package output

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lastcall-go/lastcall/internal/safefile"
	"pgregory.net/rapid"
)

func TestLogFile(t *testing.T) {
	out := newStdout(t)
	end := out.all(t)
	m := newMux(t, Options{Out: out.w, Format: "json"})
	path := t.TempDir() + "/made/on/demand/web.log"
	web := newSource(t, m, "web", SourceOptions{File: path})
	raw := "plain\r\n\x1b[31mred\x00\xff\n" + strings.Repeat("x", 3*longest) + "\nend"
	write(t, web, "%s", raw)
	flush(t, web)
	equal(t, readFile(t, path), raw+"\n") // as it was written, and never split
	web.Close()
	m.files.do(func() {}, enough)
	again := newSource(t, m, "web", SourceOptions{File: path})
	write(t, again, "appended\n")
	closeMux(t, m)
	equal(t, readFile(t, path), raw+"\nappended\n")
	equal(t, end(), "")
}

// Instances of a process may share a file.
func TestLogFileShared(t *testing.T) {
	m := newMux(t, Options{Out: newStdout(t).w})
	path := t.TempDir() + "/web.log"
	a, b := newSource(t, m, "web-1", SourceOptions{File: path}), newSource(t, m, "web-2", SourceOptions{File: path})
	long := strings.Repeat("a", longest)
	write(t, a, "%s", long+"begun") // of which a piece is written already
	m.files.do(func() {}, enough)
	for len(readFile(t, path)) == 0 {
		m.files.do(func() {}, enough)
	}
	write(t, b, "whole\n")
	flush(t, b)
	write(t, a, " and ended\n")
	flush(t, a)
	equal(t, readFile(t, path), long+"\nwhole\nbegun and ended\n")
	a.Close()
	write(t, b, "still open\n")
	flush(t, b)
	if got := readFile(t, path); !strings.HasSuffix(got, "still open\n") {
		t.Errorf("after one was closed the other wrote nothing: %q", short(got))
	}
}

// No line is lost or cut in two when the files are turned, none is larger than it may be unless by a single line, and no
// more are kept than are to be.
func TestRotateProperty(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := newMux(t, Options{Out: newStdout(t).w})
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "web.log")
		rotate := rapid.SampledFrom([]int64{1, 10, 100, 5000}).Draw(r, "rotate")
		keep := rapid.IntRange(0, 3).Draw(r, "keep")
		before := rapid.SampledFrom([]string{"", "old\n", strings.Repeat("old\n", 50)}).Draw(r, "before")
		if before != "" {
			os.WriteFile(path, []byte(before), 0o600)
		}
		s := newSource(t, m, "web", SourceOptions{File: path, Rotate: rotate, Keep: keep})
		all := before
		for i := range rapid.IntRange(0, 20).Draw(r, "lines") {
			n := rapid.SampledFrom([]int{0, 3, 50, 2000}).Draw(r, "longest")
			line := fmt.Sprintf("%d %s\n", i, strings.Repeat("x", rapid.IntRange(0, n).Draw(r, "length")))
			all += line
			write(t, s, "%s", line)
			if rapid.Bool().Draw(r, "at once") {
				flush(t, s)
			}
		}
		closeMux(t, m)
		got := readFile(t, path)
		for n := 1; ; n++ {
			b, err := os.ReadFile(fmt.Sprintf("%s.%d", path, n))
			if err != nil {
				break
			}
			if n > keep {
				r.Fatalf("%d old files are kept, not %d", n, keep)
			}
			got = string(b) + got
			if b[len(b)-1] != '\n' {
				r.Fatalf("file %d ends in a line", n)
			}
			if int64(len(b)) > rotate && strings.Count(string(b), "\n") > 1 && string(b) != before {
				r.Fatalf("file %d has %d bytes", n, len(b))
			}
		}
		if !strings.HasSuffix(all, got) {
			r.Fatalf("got %q, the end of %q", short(got), short(all))
		}
		if keep == 3 && len(all) < int(rotate) && got != all {
			r.Fatalf("got %q, want %q", short(got), short(all))
		}
	})
}

func TestReopen(t *testing.T) {
	m := newMux(t, Options{Out: newStdout(t).w})
	if err := m.Reopen(); err != nil { // nothing to do
		t.Fatal(err)
	}
	path := t.TempDir() + "/web.log"
	web := newSource(t, m, "web", SourceOptions{File: path})
	write(t, web, "one\n")
	flush(t, web)
	if err := os.Rename(path, path+"-yesterday"); err != nil {
		t.Fatal(err)
	}
	write(t, web, "two\n")
	flush(t, web)
	if err := m.Reopen(); err != nil {
		t.Fatal(err)
	}
	write(t, web, "three\n")
	flush(t, web)
	equal(t, readFile(t, path+"-yesterday"), "one\ntwo\n")
	equal(t, readFile(t, path), "three\n")
}

func TestLogFileFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skipf("no device that is full: %v", err)
	}
	out := newStdout(t)
	next := out.lines(t)
	m := newMux(t, Options{Out: out.w})
	dir := t.TempDir()
	path := dir + "/web.log"
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	web := newSource(t, m, "web", SourceOptions{File: path, Rotate: 10, Keep: 1})
	write(t, web, "lost\n")
	flush(t, web)
	write(t, web, "this too\n")
	flush(t, web)
	equal(t, next(), "lastcall | write "+path+": no space left on device; lines are lost until this is mended")
	os.Remove(path)
	if err := m.Reopen(); err != nil {
		t.Fatal(err)
	}
	write(t, web, "not lost\n")
	flush(t, web)
	equal(t, next(), "lastcall | "+path+": it is written again; 14 bytes are missing")
	equal(t, readFile(t, path), "not lost\n")
}

// A file that cannot be renamed grows on.
func TestRotateFails(t *testing.T) {
	out := newStdout(t)
	next := out.lines(t)
	m := newMux(t, Options{Out: out.w})
	path := t.TempDir() + "/web.log"
	web := newSource(t, m, "web", SourceOptions{File: path, Rotate: 10, Keep: 1})
	if err := os.MkdirAll(path+".1/in the way", 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, web, "12345678\n12345678\n")
	flush(t, web)
	if got := next(); !strings.HasPrefix(got, "lastcall | rename "+path) || !strings.HasSuffix(got, "; "+path+" grows on") {
		t.Errorf("message %q", got)
	}
	equal(t, readFile(t, path), "12345678\n12345678\n")
}

// What is lost at the end, too, is said, and counted from the first byte.
func TestLogFileFullToTheEnd(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skipf("no device that is full: %v", err)
	}
	out := newStdout(t)
	end := out.all(t)
	m := newMux(t, Options{Out: out.w, Format: "text", Times: "none"})
	path, gone := t.TempDir()+"/web.log", t.TempDir()+"/gone.log"
	for _, name := range []string{path, gone} {
		if err := os.Symlink("/dev/full", name); err != nil {
			t.Fatal(err)
		}
	}
	web, other := newSource(t, m, "web", SourceOptions{File: path}), newSource(t, m, "gone", SourceOptions{File: gone})
	write(t, other, "12345")
	flush(t, other)
	other.Close()
	m.files.do(func() {}, enough)
	write(t, web, "lost\n")
	flush(t, web)
	write(t, web, "this too\n")
	flush(t, web)
	write(t, web, "and what was in the pipe")
	closeMux(t, m)
	got := end()
	for _, want := range []string{
		"write " + path + ": no space left on device; lines are lost until this is mended\n",
		gone + ": 6 bytes are missing\n",
		path + ": 39 bytes are missing\n",
	} {
		if strings.Count(got, want) != 1 {
			t.Errorf("got %s\nwithout one %s", got, want)
		}
	}
}

// A FIFO is no log file, at the start as later, and holds up neither the start nor the other logs.
func TestLogFileFIFO(t *testing.T) {
	m := newMux(t, Options{Out: newStdout(t).w})
	dir := t.TempDir()
	fifo, path, good := dir+"/fifo", dir+"/web.log", dir+"/good.log"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	want := "open " + fifo + ": it is a FIFO, and must be a file"
	if _, err := m.Source("fifo", SourceOptions{File: fifo}); err == nil || err.Error() != "fifo: "+want {
		t.Errorf("got %v, want %s", err, want)
	}
	web, other := newSource(t, m, "web", SourceOptions{File: path}), newSource(t, m, "good", SourceOptions{File: good})
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fifo, path); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(good, good+".1"); err != nil {
		t.Fatal(err)
	}
	if err := m.Reopen(); err == nil || err.Error() != strings.ReplaceAll(want, fifo, path) {
		t.Errorf("got %v, want %s", err, want)
	}
	write(t, web, "to the old one\n")
	flush(t, web)
	write(t, other, "to the new one\n")
	flush(t, other)
	equal(t, readFile(t, path+".1"), "to the old one\n")
	equal(t, readFile(t, good), "to the new one\n")
}

// The last source that uses a file says how.
func TestLogFileOptionsChange(t *testing.T) {
	m := newMux(t, Options{Out: newStdout(t).w})
	path := t.TempDir() + "/web.log"
	newSource(t, m, "web-1", SourceOptions{File: path})
	newSource(t, m, "web-2", SourceOptions{File: path, Log: safefile.LogOptions{Mode: 0o600}})
	m.files.do(func() {}, enough)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A file that was renamed by another program is not renamed again when it is full: the new one is begun at once.
func TestRotateMoved(t *testing.T) {
	m := newMux(t, Options{Out: newStdout(t).w})
	path := t.TempDir() + "/web.log"
	web := newSource(t, m, "web", SourceOptions{File: path, Rotate: 10, Keep: 2})
	write(t, web, "1234567\n")
	flush(t, web)
	if err := os.Rename(path, path+"-moved"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("another program's, and long\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, web, "new\n")
	flush(t, web)
	equal(t, readFile(t, path+"-moved"), "1234567\n")
	equal(t, readFile(t, path), "another program's, and long\nnew\n")
}
