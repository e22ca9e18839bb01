//go:build unix

package output

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

const enough = time.Minute // for anything that is awaited

// stdout is a pipe in place of lastcall's stdout.
type stdout struct {
	r, w *os.File
}

func newStdout(t testing.TB) *stdout {
	t.Helper()
	fd, w, err := newPipe()
	if err != nil {
		t.Fatal(err)
	}
	o := &stdout{os.NewFile(uintptr(fd), "stdout"), w}
	t.Cleanup(func() { o.r.Close() }) // a mux may write still: the other end closes when it is forgotten
	return o
}

// all is what will have come at the end, read from now on.
func (o *stdout) all(t testing.TB) (atEnd func() string) {
	var b bytes.Buffer
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(&b, o.r)
		done <- err
	}()
	return func() string {
		t.Helper()
		o.w.Close()
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(enough):
			t.Fatal("the end of the output did not come")
		}
		return b.String()
	}
}

// lines gives one line after another.
func (o *stdout) lines(t testing.TB) (next func() string) {
	r := bufio.NewReader(o.r)
	o.r.SetReadDeadline(time.Now().Add(enough))
	return func() string {
		t.Helper()
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("no line came: %v", err)
		}
		return strings.TrimSuffix(line, "\n")
	}
}

func newMux(t testing.TB, o Options) *Mux {
	t.Helper()
	if o.Times == "" {
		o.Times = "none"
	}
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(context.Background(), 0) })
	return m
}

func newSource(t testing.TB, m *Mux, name string, o SourceOptions) *Source {
	t.Helper()
	s, err := m.Source(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func write(t testing.TB, s *Source, format string, args ...any) {
	t.Helper()
	if _, err := fmt.Fprintf(s.File(), format, args...); err != nil {
		t.Fatal(err)
	}
}

func flush(t testing.TB, s *Source) {
	t.Helper()
	if !s.Flush(enough) {
		t.Fatalf("%s: Flush did not return in time", s.label.name)
	}
}

func closeMux(t testing.TB, m *Mux) {
	t.Helper()
	if err := m.Close(context.Background(), enough); err != nil {
		t.Fatal(err)
	}
}

func equal(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got:\n%q\nwant:\n%q", short(got), short(want))
	}
}

func short(s string) string {
	if len(s) > 2000 {
		return s[:1000] + fmt.Sprintf("[… %d bytes …]", len(s)-2000) + s[len(s)-1000:]
	}
	return s
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
