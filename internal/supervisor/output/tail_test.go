//go:build unix

package output

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// collect is what Tail says, as "name: text".
func collect(t *testing.T, m *Mux, names []string, last int) (lines []string) {
	t.Helper()
	err := m.Tail(t.Context(), names, last, false, func(_ time.Time, name, text string) error {
		lines = append(lines, name+": "+text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestTail(t *testing.T) {
	out := newStdout(t)
	out.all(t)
	m := newMux(t, Options{Out: out.w})
	a, b := newSource(t, m, "web-1", SourceOptions{Process: "web"}), newSource(t, m, "web-2", SourceOptions{Process: "web"})
	file := newSource(t, m, "db", SourceOptions{File: t.TempDir() + "/db.log"})
	for i := range 3 {
		for _, s := range []*Source{a, b, file} {
			write(t, s, "%d\r\nand %d\n", i, i)
			flush(t, s)
		}
	}
	m.Message("stopping")
	for _, c := range []struct {
		names []string
		last  int
		want  string
	}{
		{nil, 0, ""},
		{nil, 1, ": stopping"},
		{nil, 4, "web-2: and 2 db: 2 db: and 2 : stopping"},
		{[]string{"web"}, 5, "web-2: and 1 web-1: 2 web-1: and 2 web-2: 2 web-2: and 2"},
		{[]string{"web-1"}, -1, "web-1: 0 web-1: and 0 web-1: 1 web-1: and 1 web-1: 2 web-1: and 2"},
		{[]string{"db", "web-1"}, 3, "web-1: and 2 db: 2 db: and 2"},
		{[]string{Own}, -1, ": stopping"},
		{[]string{"nobody"}, -1, ""},
	} {
		if got := strings.Join(collect(t, m, c.names, c.last), " "); got != c.want {
			t.Errorf("%v, last %d: got %q, want %q", c.names, c.last, got, c.want)
		}
	}
	if got := len(collect(t, m, nil, -1)); got != 19 {
		t.Errorf("%d lines are kept, not 19", got)
	}
}

func TestTailFollows(t *testing.T) {
	out := newStdout(t)
	out.all(t)
	m := newMux(t, Options{Out: out.w})
	web := newSource(t, m, "web", SourceOptions{})
	write(t, web, "kept\n")
	flush(t, web)
	lines := make(chan string)
	done := make(chan error, 1)
	go func() {
		done <- m.Tail(t.Context(), nil, -1, true, func(_ time.Time, name, text string) error {
			lines <- name + ": " + text
			return nil
		})
	}()
	next := func(want string) {
		t.Helper()
		select {
		case got := <-lines:
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		case <-time.After(enough):
			t.Fatalf("%q did not come", want)
		}
	}
	next("web: kept")
	write(t, web, "live\nbegun, ")
	next("web: live")
	other := newSource(t, m, "other", SourceOptions{}) // made later
	write(t, other, "%s", strings.Repeat("x", longest+1))
	next("other: " + strings.Repeat("x", longest) + splitMark)
	m.Message("a message")
	next(": a message")
	write(t, web, "ended\n")
	next("web: begun, ended")
	go m.Close(context.Background(), enough)
	next("other: x")
	if err := <-done; err != nil {
		t.Errorf("after Close, Tail returned %v", err)
	}
}

// Every line is told once, also around the moment when the kept ones end and the live ones begin.
func TestTailHasNoGap(t *testing.T) {
	out := newStdout(t)
	out.all(t)
	m := newMux(t, Options{Out: out.w})
	web := newSource(t, m, "web", SourceOptions{})
	const all = 20_000
	go func() {
		for i := range all {
			fmt.Fprintln(web.File(), i)
		}
	}()
	for range 20 {
		last, count := -1, 0
		enough := errors.New("enough")
		err := m.Tail(t.Context(), nil, -1, true, func(_ time.Time, name, text string) error {
			var n int
			if _, err := fmt.Sscan(text, &n); err != nil || name != "web" {
				return nil // left out, which is said
			}
			if last >= 0 && n != last+1 {
				return fmt.Errorf("%d came after %d", n, last)
			}
			last = n
			if count++; count == 500 || n == all-1 {
				return enough
			}
			return nil
		})
		if err != enough {
			t.Fatal(err)
		}
	}
}

// A follower that does not read holds up nobody, and is told what it missed.
func TestTailSlow(t *testing.T) {
	out := newStdout(t)
	out.all(t)
	m := newMux(t, Options{Out: out.w})
	web := newSource(t, m, "web", SourceOptions{})
	begun, goOn := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	var got, left int
	go func() {
		done <- m.Tail(t.Context(), []string{"web"}, 0, true, func(_ time.Time, name, text string) error {
			if got == 0 {
				close(begun)
				<-goOn
			}
			if name == "" {
				_, err := fmt.Sscanf(text, "%d lines left out: "+linesOfBlock, &left)
				return err
			}
			if want := fmt.Sprint(got, " ", strings.Repeat("x", 1000)); text != want {
				return fmt.Errorf("line %q, want %q", text, want)
			}
			got++
			return nil
		})
	}()
	const all = 10_000 // ten megabytes
	for tails := 0; tails == 0; {
		m.mu.Lock()
		tails = len(m.tails)
		m.mu.Unlock()
	}
	for i := range all {
		write(t, web, "%d %s\n", i, strings.Repeat("x", 1000))
		if i == 0 {
			<-begun
		}
	}
	flush(t, web)
	close(goOn)
	closeMux(t, m)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got+left != all || got < 100 || left < all/2 {
		t.Errorf("%d lines came and %d were left out, of %d", got, left, all)
	}
}

func TestTailEndsWithContext(t *testing.T) {
	m := newMux(t, Options{Out: newStdout(t).w})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- m.Tail(ctx, nil, -1, true, func(time.Time, string, string) error { return nil })
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if len(m.tails) > 0 {
		t.Error("it is still a follower")
	}
}

// What is kept is always the end of what came, in whole lines, and bounded; and not less than half of what may be.
func TestKeptProperty(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var k kept
		var all []string
		most := keptEach
		for i := range rapid.IntRange(1, 60).Draw(r, "times") {
			if rapid.IntRange(0, 9).Draw(r, "fewer") == 0 {
				most = rapid.SampledFrom([]int{keptLeast, 5000, keptEach}).Draw(r, "most")
			}
			var lines strings.Builder
			for range rapid.IntRange(1, 10).Draw(r, "lines") {
				n := rapid.SampledFrom([]int{0, 10, 1000, 40_000}).Draw(r, "longest")
				line := strings.Repeat("x", rapid.IntRange(0, n).Draw(r, "length"))
				lines.WriteString(line + "\n")
				all = append(all, line)
			}
			k.add(label{name: "web"}, time.Unix(int64(i), 0), []byte(lines.String()), "", most)
			if len(k.records) > 2*most {
				r.Fatalf("%d bytes are held of %d", len(k.records), most)
			}
			var got []string
			for b := k.snapshot(); len(b) > 0; {
				var lines, line []byte
				_, lines, b = record(b)
				for len(lines) > 0 {
					line, lines = cutLine(lines)
					got = append(got, string(line))
				}
			}
			for i, line := range got {
				want := all[len(all)-len(got)+i]
				if begin, cut := strings.CutSuffix(line, splitMark); cut && strings.HasPrefix(want, begin) && len(line) > keptLeast-100 {
					continue
				}
				if line != want {
					r.Fatalf("line %d of %d: got %d bytes, want %d", i, len(got), len(line), len(want))
				}
			}
			if len(got) == 0 {
				r.Fatal("nothing is kept")
			}
		}
	})
}
