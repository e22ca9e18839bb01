//go:build unix

package output

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestLines(t *testing.T) {
	out := newStdout(t)
	end := out.all(t)
	m := newMux(t, Options{Out: out.w})
	web, worker := newSource(t, m, "web-1", SourceOptions{Process: "web"}), newSource(t, m, "long-worker", SourceOptions{})
	write(t, web, "one\ntwo\r\nthr")
	flush(t, web)
	write(t, worker, "\n")
	flush(t, worker)
	write(t, web, "ee\nlast\rword")
	closeMux(t, m)
	equal(t, end(), ""+
		"web-1       | one\n"+
		"web-1       | two\n"+
		"web-1       | thr\n"+ // an end of the child is the end of its line
		"long-worker | \n"+
		"web-1       | ee\n"+
		"web-1       | last\rword\n")
}

func TestWidthIsKnownBefore(t *testing.T) {
	out := newStdout(t)
	end := out.all(t)
	m := newMux(t, Options{Out: out.w, Width: 12})
	write(t, newSource(t, m, "web", SourceOptions{}), "x\n")
	closeMux(t, m)
	equal(t, end(), "web          | x\n")
}

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Times: "auto"}, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d) web      \| x\n$`},
		{Options{Times: "full"}, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d) web      \| x\n$`},
		{Options{Times: "time"}, `^\d\d:\d\d:\d\d web      \| x\n$`},
		{Options{Times: "none"}, `^web      \| x\n$`},
		{Options{Times: "auto", Format: "json"}, `^{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)","process":"web","instance":"web","line":"x"}\n$`},
		{Options{Times: "none", Format: "json"}, `^{"process":"web","instance":"web","line":"x"}\n$`},
	} {
		out := newStdout(t)
		end := out.all(t)
		c.o.Out = out.w
		m := newMux(t, c.o)
		write(t, newSource(t, m, "web", SourceOptions{}), "x\n")
		closeMux(t, m)
		if got := end(); !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("%+v: got %q, want %s", c.o, got, c.want)
		}
	}
}

func TestJournalAddsTimesItself(t *testing.T) {
	out := newStdout(t)
	end := out.all(t)
	var s unix.Stat_t
	if err := unix.Fstat(int(out.w.Fd()), &s); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", s.Dev, s.Ino))
	m := newMux(t, Options{Out: out.w, Times: "auto"})
	write(t, newSource(t, m, "web", SourceOptions{}), "x\n")
	closeMux(t, m)
	equal(t, end(), "web      | x\n")
}

func TestJSON(t *testing.T) {
	out := newStdout(t)
	end := out.all(t)
	m := newMux(t, Options{Out: out.w, Format: "json"})
	web := newSource(t, m, "web-1", SourceOptions{Process: "web"})
	write(t, web, "a \"b\" \\ \t\x01\x1b[31mä\U0001F600\xff\xc3\n")
	write(t, web, "%s\n", strings.Repeat("é", longest/2+1)) // of two bytes each
	flush(t, web)
	m.Message("web-1: exited\nwith status 1")
	closeMux(t, m)
	type entry struct {
		Process, Instance, Line string
		Partial                 bool
	}
	var got []entry
	for d := json.NewDecoder(strings.NewReader(end())); ; {
		var e entry
		if err := d.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	want := []entry{
		{"web", "web-1", "a \"b\" \\ \t\x01\x1b[31mä\U0001F600\ufffd\ufffd", false},
		{"web", "web-1", strings.Repeat("é", longest/2), true},
		{"web", "web-1", "é", false},
		{Own, Own, "web-1: exited; with status 1", false},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %s\nwant %s", short(fmt.Sprint(got)), short(fmt.Sprint(want)))
	}
}

func TestLongLines(t *testing.T) {
	// Each is written in pieces of another size, so that the limit is met in every way.
	for _, size := range []int{1000, 4096, longest - 1, longest, longest + 1, 3*longest + 5} {
		for _, length := range []int{longest - 1, longest, longest + 1, 2 * longest, 2*longest + 1, 5 * longest} {
			out := newStdout(t)
			end := out.all(t)
			m := newMux(t, Options{Out: out.w})
			web := newSource(t, m, "web", SourceOptions{})
			text := make([]byte, length)
			for i := range text {
				text[i] = byte('a' + rand.IntN(26))
			}
			for b := append([]byte("short\n"+string(text)), "\nafter\n"...); len(b) > 0; {
				n := min(size, len(b))
				write(t, web, "%s", b[:n])
				b = b[n:]
			}
			closeMux(t, m)
			want := "web      | short\n"
			rest := string(text)
			for mark := ""; ; mark = splitMark {
				if len(rest) <= longest {
					want += "web      | " + mark + rest + "\n"
					break
				}
				want += "web      | " + mark + rest[:longest] + splitMark + "\n"
				rest = rest[longest:]
			}
			equal(t, end(), want+"web      | after\n")
		}
	}
}

// What one child writes to stdout and stderr keeps its order, over restarts too.
func TestChildren(t *testing.T) {
	out := newStdout(t)
	end := out.all(t)
	m := newMux(t, Options{Out: out.w})
	web := newSource(t, m, "web", SourceOptions{})
	want := ""
	for run := range 3 {
		cmd := exec.Command("/bin/sh", "-c", fmt.Sprintf("for i in 1 2 3; do echo out %d $i; echo err %d $i >&2; done; printf end", run, run))
		cmd.Stdout, cmd.Stderr = web.File(), web.File()
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		flush(t, web)
		for i := range 3 {
			want += fmt.Sprintf("web      | out %d %d\nweb      | err %d %d\n", run, i+1, run, i+1)
		}
		want += "web      | end\n"
	}
	closeMux(t, m)
	equal(t, end(), want)
}

// A program that expects a blocking stdout must get one.
func TestChildBlocks(t *testing.T) {
	m := newMux(t, Options{Out: newStdout(t).w})
	web := newSource(t, m, "web", SourceOptions{})
	flags, err := unix.FcntlInt(web.File().Fd(), unix.F_GETFL, 0)
	if err != nil {
		t.Fatal(err)
	}
	if flags&unix.O_NONBLOCK != 0 {
		t.Error("the end of the pipe that children get does not block")
	}
}

// A grandchild that writes on holds up neither Flush nor Close.
func TestEndlessWriter(t *testing.T) {
	out := newStdout(t)
	end := out.all(t)
	m := newMux(t, Options{Out: out.w})
	web := newSource(t, m, "web", SourceOptions{})
	cmd := exec.Command("/bin/sh", "-c", "while :; do echo still here; done")
	cmd.Stdout = web.File()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	flush(t, web)
	closeMux(t, m)
	for line := range strings.Lines(end()) {
		if line != "web      | still here\n" && line != "web      | still her\n" {
			t.Fatalf("line %q", line)
		}
	}
}

func TestMessagesInBetween(t *testing.T) {
	out := newStdout(t)
	next := out.lines(t)
	m := newMux(t, Options{Out: out.w})
	web := newSource(t, m, "web", SourceOptions{})
	write(t, web, "before\nbegun, ")
	equal(t, next(), "web      | before")
	m.Message("web: is ready")
	equal(t, next(), "lastcall | web: is ready")
	write(t, web, "ended\n")
	equal(t, next(), "web      | begun, ended")
}

// When nobody reads stdout any more, the children live on, and so does this process, which says so once and counts what is lost.
func TestReaderGone(t *testing.T) {
	out := newStdout(t)
	failures := make(chan error, 100)
	m := newMux(t, Options{Out: out.w, Failed: func(err error) { failures <- err }})
	web := newSource(t, m, "web", SourceOptions{})
	out.r.Close()
	for range 100 {
		write(t, web, "%s\n", strings.Repeat("x", 10_000))
	}
	m.Message("nobody hears this")
	flush(t, web)
	if err := <-failures; !errors.Is(err, syscall.EPIPE) {
		t.Errorf("it failed with %v", err)
	}
	if err := m.Close(t.Context(), enough); err == nil || err.Error() != "101 lines of output could not be written: broken pipe" {
		t.Errorf("at the end: %v", err)
	}
	if len(failures) > 0 {
		t.Errorf("it was said again: %v", <-failures)
	}
}

// A file that can be written to again after a failure can fail again.
func TestOutThatFailsTwice(t *testing.T) {
	var said []error
	k := &sink{m: &Mux{}}
	for _, err := range []error{nil, syscall.ENOSPC, syscall.ENOSPC, nil, syscall.EIO} {
		k.note(err, []byte("a\nb\n"))
		said = append(said, k.refused)
	}
	if want := []error{nil, syscall.ENOSPC, syscall.ENOSPC, nil, syscall.EIO}; !slices.Equal(said, want) {
		t.Errorf("got %v, want %v", said, want)
	}
	if err := k.unwrittenError(); err.Error() != "6 lines of output could not be written: input/output error" {
		t.Error(err)
	}
}

// The stdout of this process is the only one for which the Go runtime has SIGPIPE kill it.
func TestReaderOfStdoutGone(t *testing.T) {
	if os.Getenv("OUTPUT_TEST_CHILD") != "" {
		m := newMux(t, Options{Out: os.Stdout})
		s := newSource(t, m, "web", SourceOptions{})
		for range 100 {
			write(t, s, "%s\n", strings.Repeat("x", 10_000))
			flush(t, s)
		}
		fmt.Fprintln(os.Stderr, "alive")
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestReaderOfStdoutGone$")
	cmd.Env = append(os.Environ(), "OUTPUT_TEST_CHILD=1")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	cmd.Stdout = w
	var said strings.Builder
	cmd.Stderr = &said
	err = cmd.Run()
	w.Close()
	if !strings.Contains(said.String(), "alive") {
		t.Errorf("it ended with %v before its end, and said: %s", err, said.String())
	}
}

// Who makes stdout non-blocking does so for all who hold it.
func TestNonBlockingOut(t *testing.T) {
	out := newStdout(t)
	m := newMux(t, Options{Out: out.w})
	if err := syscall.SetNonblock(int(out.w.Fd()), true); err != nil {
		t.Fatal(err)
	}
	web := newSource(t, m, "web", SourceOptions{})
	line := strings.Repeat("x", 1000)
	go func() {
		for range 1000 {
			fmt.Fprintln(web.File(), line)
		}
		web.Flush(enough)
		m.Close(context.Background(), enough)
		out.w.Close()
	}()
	out.r.SetReadDeadline(time.Now().Add(enough))
	b, err := io.ReadAll(out.r)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, string(b), strings.Repeat("web      | "+line+"\n", 1000))
}

// While the output is blocked, as by Ctrl-S, whoever waits for it waits no longer than it was told; what children write
// stays in the pipes, and then comes whole.
func TestBlockedOut(t *testing.T) {
	out := newStdout(t)
	m := newMux(t, Options{Out: out.w})
	web := newSource(t, m, "web", SourceOptions{})
	file := t.TempDir() + "/other.log"
	other := newSource(t, m, "other", SourceOptions{File: file})
	line := strings.Repeat("x", 999)
	const all, hello = 4000, 10 * messages // either is more than all pipes and buffers hold
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		for range all {
			fmt.Fprintln(web.File(), line)
		}
	}()
	for m.common.do(func() {}, time.Millisecond) { // until it is blocked
	}
	for range hello {
		m.Message("hello")
	}
	write(t, other, "not held up\n")
	flush(t, other)
	equal(t, readFile(t, file), "not held up\n")
	select {
	case <-wrote:
		t.Fatal("four megabytes were taken while nothing could be written")
	default:
	}
	end := out.all(t)
	<-wrote
	flush(t, web)
	m.Message("at the end")
	closeMux(t, m)
	var lines, hellos, left int
	for l := range strings.Lines(end()) {
		n := 0
		switch _, err := fmt.Sscanf(l, "lastcall | %d messages left out\n", &n); {
		case err == nil:
			left += n
		case l == "web      | "+line+"\n":
			lines++
		case l == "lastcall | hello\n":
			hellos++
		case l != "lastcall | at the end\n":
			t.Errorf("line %q", l)
		}
	}
	if lines != all {
		t.Errorf("%d of %d lines came", lines, all)
	}
	if hellos+left != hello || hellos < messages || left == 0 {
		t.Errorf("%d messages came and %d were left out, of %d", hellos, left, hello)
	}
}

func TestSourceErrors(t *testing.T) {
	m := newMux(t, Options{Out: newStdout(t).w})
	newSource(t, m, "web", SourceOptions{})
	if _, err := m.Source("web", SourceOptions{}); err == nil || err.Error() != "web: there is already output of this name" {
		t.Errorf("a second source: %v", err)
	}
	file := t.TempDir() + "/file"
	os.WriteFile(file, nil, 0o600)
	if _, err := m.Source("db", SourceOptions{File: file + "/db.log"}); !errors.Is(err, syscall.ENOTDIR) || !strings.HasPrefix(err.Error(), "db: ") {
		t.Errorf("a file in a file: %v", err)
	}
	newSource(t, m, "db", SourceOptions{}) // the name is free again
	closeMux(t, m)
	if _, err := m.Source("late", SourceOptions{}); err == nil {
		t.Error("a source after Close")
	}
}

func TestNone(t *testing.T) {
	out := newStdout(t)
	end := out.all(t)
	m := newMux(t, Options{Out: out.w})
	s := newSource(t, m, "web", SourceOptions{None: true})
	write(t, s, "%s\n", strings.Repeat("x", 1<<20))
	flush(t, s)
	closeMux(t, m)
	equal(t, end(), "")
}

func TestCloseSource(t *testing.T) {
	out := newStdout(t)
	next := out.lines(t)
	m := newMux(t, Options{Out: out.w})
	before := openFiles(t)
	for i := range 100 {
		s := newSource(t, m, "web", SourceOptions{})
		write(t, s, "%d", i)
		s.Close()
		equal(t, next(), fmt.Sprintf("web      | %d", i))
	}
	// The last is perhaps not closed yet: its line comes before.
	m.common.do(func() {}, enough)
	if after := openFiles(t); after > before {
		t.Errorf("%d files are open, %d were", after, before)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Skipf("the open files cannot be counted here: %v", err)
	}
	return len(entries)
}

func TestColoursDiffer(t *testing.T) {
	a, b := newMux(t, Options{Out: newStdout(t).w}), newMux(t, Options{Out: newStdout(t).w})
	seen := map[int]bool{}
	for i := range len(colours) {
		name := fmt.Sprintf("p%d", i)
		x, y := newSource(t, a, name+"-1", SourceOptions{Process: name}), newSource(t, b, name+"-2", SourceOptions{Process: name})
		if x.label.colour != y.label.colour {
			t.Errorf("%s has two colours", name)
		}
		seen[x.label.colour] = true
	}
	if len(seen) != len(colours) {
		t.Errorf("%d processes have %d colours", len(colours), len(seen))
	}
}

// Whatever many children write in whatever pieces: each one's lines come, whole, in their order, unmixed.
func TestProperty(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		out := newStdout(t)
		end := out.all(t)
		format := rapid.SampledFrom([]string{"text", "json"}).Draw(r, "format")
		m := newMux(t, Options{Out: out.w, Format: format})
		sources := rapid.IntRange(1, 12).Draw(r, "sources")
		texts := make([]string, sources)
		pieces := make([][]int, sources)
		for i := range sources {
			text := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) string {
				n := rapid.SampledFrom([]int{0, 1, 10, 80, 500, 5000, 70_000}).Draw(r, "longest")
				return strings.Repeat(string(rune('a'+i)), rapid.IntRange(0, n).Draw(r, "length"))
			}), 0, 40).Draw(r, "lines")
			texts[i] = strings.Join(text, "\n")
			pieces[i] = rapid.SliceOfN(rapid.IntRange(1, 100_000), 1, 10).Draw(r, "pieces")
		}
		var all sync.WaitGroup
		for i := range sources {
			s := newSource(t, m, string(rune('a'+i)), SourceOptions{})
			all.Go(func() {
				rest := texts[i]
				for n := 0; rest != ""; n++ {
					piece := min(pieces[i][n%len(pieces[i])], len(rest))
					if _, err := s.File().WriteString(rest[:piece]); err != nil {
						t.Error(err)
						return
					}
					rest = rest[piece:]
				}
				if i%2 == 0 {
					flush(t, s)
				}
			})
		}
		all.Wait()
		closeMux(t, m)
		got := make([]string, sources)
		for line := range strings.Lines(end()) {
			var name, text string
			var after bool
			if format == "json" {
				var e struct {
					Instance, Line string
					Partial        bool
				}
				if err := json.Unmarshal([]byte(line), &e); err != nil {
					r.Fatalf("%v in %q", err, short(line))
				}
				name, text, after = e.Instance, e.Line, e.Partial
			} else {
				name, text, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " | ")
				name = strings.TrimSpace(name)
				text = strings.TrimPrefix(text, splitMark)
				text, after = strings.CutSuffix(text, splitMark)
			}
			if len(text) > longest {
				r.Fatalf("%s: a line of %d bytes", name, len(text))
			}
			if after && len(text) != longest {
				r.Fatalf("%s: a line was split after %d bytes", name, len(text))
			}
			if !after {
				text += "\n"
			}
			got[name[0]-'a'] += text
		}
		for i := range sources {
			want := texts[i]
			if want != "" && !strings.HasSuffix(want, "\n") {
				want += "\n"
			}
			if got[i] != want {
				r.Fatalf("%c: got %d bytes, want %d: %q, want %q", 'a'+i, len(got[i]), len(want), short(got[i]), short(want))
			}
		}
	})
}

// However the bytes are cut when they are read, the same lines come out.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("one\ntwo\r\n\nthree"), uint16(1))
	f.Add([]byte(strings.Repeat("ä", longest)+"\nx"), uint16(40_000))
	f.Add([]byte(strings.Repeat("x", 2*longest)+"\n\n"), uint16(65_535))
	file, err := os.Create(f.TempDir() + "/out") // one for all: making a directory takes longer than the rest
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { file.Close() })
	f.Fuzz(func(t *testing.T, text []byte, size uint16) {
		if len(text) > longest && !utf8.Valid(text) {
			t.Skip("a long line of what is no text may be split in other places")
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if err := file.Truncate(0); err != nil {
			t.Fatal(err)
		}
		m := &Mux{style: style{times: "none"}}
		m.share.Store(keptEach)
		k := &sink{m: m, fd: int(file.Fd()), buf: make([]byte, longest+chunk)}
		s := &Source{m: m, sink: k}
		for rest := text; len(rest) > 0; {
			n := copy(k.buf[longest:], rest[:min(len(rest), int(size)+1)])
			k.split(s, n)
			rest = rest[n:]
		}
		s.endLine()
		k.write()
		var want []byte
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSuffix(line, "\n")
			mark := ""
			for len(line) > longest {
				n := longest
				for !utf8.RuneStart(line[n]) {
					n--
				}
				want = append(append(append(append(want, " | "...), mark...), line[:n]...), splitMark+"\n"...)
				line, mark = line[n:], splitMark
			}
			want = append(append(append(append(want, " | "...), mark...), strings.TrimSuffix(line, "\r")...), '\n')
		}
		if got := readFile(t, file.Name()); got != string(want) {
			t.Errorf("%d bytes at once: got %q, want %q", int(size)+1, short(got), short(string(want)))
		}
	})
}
