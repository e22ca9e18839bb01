//go:build unix

package output

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Nothing is allocated for lines, whether they come singly or many at once, whole or in parts.
func TestAllocations(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		text string
	}{
		{"text", Options{Times: "full"}, "a line\n"},
		{"many lines", Options{Times: "full"}, strings.Repeat("a line\n", 500)},
		{"parts of lines", Options{Times: "full"}, "a line\nand a part "},
		{"json", Options{Format: "json"}, "a \"line\"\n\x1b[31mä\xff\n"},
	} {
		out := newStdout(t)
		c.o.Out = out.w
		m := newMux(t, c.o)
		s := newSource(t, m, "web", SourceOptions{})
		text := []byte(c.text)
		lines := bytes.Count(text, newline)
		buf := make([]byte, 1<<20)
		fd := int(s.File().Fd())
		round := func() {
			if _, err := unix.Write(fd, text); err != nil {
				t.Fatal(err)
			}
			for left := lines; left > 0; { // it may come in pieces
				n, err := out.r.Read(buf)
				if err != nil {
					t.Fatal(err)
				}
				left -= bytes.Count(buf[:n], newline)
			}
		}
		for range 2000 { // until all buffers have their size
			round()
		}
		if got := testing.AllocsPerRun(1000, round); got > 0 {
			t.Errorf("%s: %v allocations for %q", c.name, got, short(c.text))
		}
	}
}

func TestAllocationsOfLogFile(t *testing.T) {
	m := newMux(t, Options{Out: newStdout(t).w})
	s := newSource(t, m, "web", SourceOptions{File: t.TempDir() + "/web.log"})
	write(t, s, "so that there are buffers\n")
	flush(t, s)
	var got float64
	s.sink.do(func() {
		round := func() { s.sink.split(s, copy(s.sink.buf[longest:], "a line\nand a part ")) }
		for range 2000 {
			round()
		}
		got = testing.AllocsPerRun(1000, round)
	}, enough)
	if got > 0 {
		t.Errorf("%v allocations", got)
	}
}

// A thousand silent children cost two descriptors and some hundred bytes each, and no goroutine.
func TestThousandSilent(t *testing.T) {
	m := newMux(t, Options{Out: newStdout(t).w})
	goroutines := runtime.NumGoroutine()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	sources := make([]*Source, 0, 1000)
	for i := range 1000 {
		s, err := m.Source("web-"+string(rune('a'+i%26))+strings.Repeat("x", i/26), SourceOptions{Process: "web"})
		if err != nil {
			t.Skipf("no thousand pipes can be had here: %v", err)
		}
		sources = append(sources, s)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / 1000; got > 1024 {
		t.Errorf("%d bytes a source", got)
	}
	if got := runtime.NumGoroutine() - goroutines; got > 0 {
		t.Errorf("%d goroutines more", got)
	}
	for _, s := range sources {
		s.Close()
	}
}

// What a source may keep follows from how many there are, so that the sum is bounded.
func TestKeptIsBoundedOverAll(t *testing.T) {
	out := newStdout(t)
	go func() {
		var buf [64 << 10]byte
		for {
			if n, err := out.r.Read(buf[:]); n == 0 || err != nil {
				return
			}
		}
	}()
	m := newMux(t, Options{Out: out.w})
	sources := make([]*Source, 300)
	for i := range sources {
		sources[i] = newSource(t, m, strings.Repeat("x", i+1), SourceOptions{})
	}
	text := strings.Repeat("a line of some length\n", 100)
	for range 20 {
		for _, s := range sources {
			write(t, s, "%s", text)
		}
	}
	sum := 0
	for _, s := range sources {
		flush(t, s)
		s.kept.mu.Lock()
		sum += cap(s.kept.records)
		s.kept.mu.Unlock()
	}
	if sum > 2*keptAll+len(sources)*keptLeast {
		t.Errorf("%d bytes are held", sum)
	}
}

// One child that writes as fast as it can does not hold up the line of another.
func TestFair(t *testing.T) {
	out := newStdout(t)
	m := newMux(t, Options{Out: out.w})
	fast, slow := newSource(t, m, "fast", SourceOptions{}), newSource(t, m, "slow", SourceOptions{})
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		text := []byte(strings.Repeat("a line of some length\n", 1000))
		for {
			select {
			case <-stop:
				return
			default:
				fast.File().Write(text)
			}
		}
	}()
	buf := make([]byte, 64<<10)
	for range 100 {
		write(t, slow, "!\n")
		for passed := 0; ; {
			n, err := out.r.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.IndexByte(buf[:n], '!') >= 0 {
				break
			}
			if passed += n; passed > 2<<20 {
				t.Fatalf("%d bytes of the other came first", passed)
			}
		}
	}
	go func() { // until the writer has seen that it is to stop
		for {
			if n, err := out.r.Read(buf); n == 0 || err != nil {
				return
			}
		}
	}()
}
