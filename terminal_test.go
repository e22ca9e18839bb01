package lastcall

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/lastcall-go/lastcall/internal/tty"
)

// inUTF8 is for tests that look at what a UTF-8 terminal shows.
func inUTF8(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("LC_ALL", "C.UTF-8")
}

func TestDisplayLine(t *testing.T) {
	inUTF8(t)
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	sec := time.Second
	slow := Awaited{Name: "slow", For: 3*sec + 7e6}
	web := Awaited{Name: "shop/web", For: 2 * sec, InFlight: 2}
	cut := Awaited{Name: "mailer", State: StateCut, For: 26 * sec, Status: "sending to 3 guests"}
	for _, test := range []struct {
		name    string
		d       *display
		awaited []Awaited
		width   int
		want    string
	}{
		{"one", &display{cause: "SIGINT", stopping: true}, []Awaited{slow}, 79,
			"stopping (SIGINT): waiting for slow (3s); Ctrl-C to cut it short"},
		{"a process", &display{cause: "SIGTERM", stopping: true}, []Awaited{{Name: "web", For: sec, PID: 7, Status: "sent SIGTERM"}}, 100,
			"stopping (SIGTERM): waiting for web (1s, pid 7, sent SIGTERM); Ctrl-C to cut it short"},
		{"two", &display{cause: "SIGTERM", stopping: true}, []Awaited{slow, web}, 100,
			"stopping (SIGTERM): waiting for slow (3s), shop/web (2s, 2 in flight); Ctrl-C to cut it short"},
		{"as many as fit", &display{cause: "SIGTERM", stopping: true}, []Awaited{slow, web, web, web}, 79,
			"stopping (SIGTERM): waiting for slow (3s) and 3 more; Ctrl-C to cut it short"},
		{"cut", &display{cause: "SIGINT", stopping: true, cut: true}, []Awaited{cut}, 110,
			"stopping (SIGINT): waiting for mailer (26s, cut, sending to 3 guests); Ctrl-C to exit at once"},
		{"the hint outlives the status", &display{cause: "SIGINT", stopping: true, cut: true}, []Awaited{cut}, 79,
			"stopping (SIGINT): waiting for mailer (26s, cut, sendi…; Ctrl-C to exit at once"},
		{"no room for a name", &display{cause: "SIGINT", stopping: true}, []Awaited{slow, web}, 68,
			"stopping (SIGINT): waiting for 2 workers; Ctrl-C to cut it short"},
		{"a narrow terminal", &display{cause: "SIGINT", stopping: true}, []Awaited{slow, web}, 30,
			"stopping (SIGINT): waiting fo…"},
		{"lame duck", &display{cause: "SIGTERM", leaving: now.Add(4 * sec)}, nil, 79,
			"lame duck (SIGTERM): serving for another 4s; Ctrl-C to cut it short"},
		{"nobody", &display{cause: "SIGINT", stopping: true}, nil, 79,
			"stopping (SIGINT); Ctrl-C to cut it short"},
		{"a long cause, of several lines", &display{cause: "db failed: no such host\r\n\x1b[2Jdb.example.com", stopping: true}, []Awaited{slow}, 90,
			"stopping (db failed: no such host \\x1b[…): waiting for slow (3s); Ctrl-C to cut it short"},
		{"wide signs", &display{cause: "SIGINT", stopping: true}, []Awaited{{Name: strings.Repeat("店", 40), For: sec}}, 79,
			"stopping (SIGINT): waiting for 店店店店店店店店店店店…; Ctrl-C to cut it short"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := test.d.line(now, test.awaited, test.width)
			if got != test.want {
				t.Errorf("got:  %q\nwant: %q", got, test.want)
			}
			for width := -1; width < 120; width++ {
				line := test.d.line(now, test.awaited, width)
				if n := tty.Columns(strings.TrimSuffix(line, "…")); n > max(width, 0) {
					t.Errorf("%d columns in a width of %d: %q", n, width, line)
				}
			}
		})
	}
	t.Setenv("LC_ALL", "C")
	if got := (&display{cause: "SIGINT", stopping: true}).line(now, []Awaited{slow}, 40); !utf8.ValidString(got) || strings.Contains(got, "…") {
		t.Errorf("not in ASCII: %q", got)
	}
}

// A screen is a terminal of endless height that obeys what the display uses.
type screen struct {
	mu       sync.Mutex
	rows     [][]rune
	row, col int
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := string(p)
	for text != "" {
		switch {
		case strings.HasPrefix(text, "\x1b[K"):
			s.at(s.row)
			s.rows[s.row] = s.rows[s.row][:min(s.col, len(s.rows[s.row]))]
			text = text[3:]
			continue
		case strings.HasPrefix(text, "\x1b[J"):
			s.at(s.row)
			s.rows[s.row] = s.rows[s.row][:min(s.col, len(s.rows[s.row]))]
			s.rows = s.rows[:s.row+1]
			text = text[3:]
			continue
		case strings.HasPrefix(text, "\x1b[A"):
			s.row = max(s.row-1, 0)
			text = text[3:]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch r {
		case '\r':
			s.col = 0
		case '\n':
			s.row, s.col = s.row+1, 0
		default:
			s.at(s.row)
			for len(s.rows[s.row]) <= s.col {
				s.rows[s.row] = append(s.rows[s.row], ' ')
			}
			s.rows[s.row][s.col] = r
			s.col++
		}
	}
	return len(p), nil
}

func (s *screen) at(row int) {
	for len(s.rows) <= row {
		s.rows = append(s.rows, nil)
	}
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var text strings.Builder
	for _, row := range s.rows {
		text.WriteString(strings.TrimRight(string(row), " ") + "\n")
	}
	return strings.TrimRight(text.String(), "\n")
}

// TestDisplay goes through a stop on a terminal in virtual time.
func TestDisplay(t *testing.T) {
	inUTF8(t)
	synctest.Test(t, func(t *testing.T) {
		var s screen
		var d *display
		g := Group{LameDuck: 3 * time.Second, Grace: 20 * time.Second}
		g.Go("quick", func(ctx context.Context) error {
			<-ctx.Done()
			return Sleep(Grace(ctx), 1500*time.Millisecond)
		})
		g.Go("slow", func(ctx context.Context) error {
			<-ctx.Done()
			Sleep(Grace(ctx), time.Minute)
			time.Sleep(2500 * time.Millisecond)
			return nil
		})
		d = newDisplay(&s, func() int { return 80 }, func() []Awaited { return g.current().awaited() })
		g.Observe = d.observe
		s.Write([]byte("hello\n"))

		signals := make(chan os.Signal, 1)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = Run(t.Context(), &g, FromSignals(signals))
			d.close()
		}()
		shows := func(after time.Duration, want string) { t.Helper(); s.expectAfter(t, after, want) }
		time.Sleep(time.Second)
		signals <- syscall.SIGTERM
		shows(150*time.Millisecond, "hello")
		shows(100*time.Millisecond, "hello\n\nlame duck (SIGTERM): serving for another 3s; Ctrl-C to cut it short")
		shows(time.Second, "hello\n\nlame duck (SIGTERM): serving for another 2s; Ctrl-C to cut it short")
		shows(2*time.Second, "hello\n\nstopping (SIGTERM): waiting for quick (0s), slow (0s); Ctrl-C to cut it short")
		shows(1500*time.Millisecond, "hello\n\nstopping (SIGTERM): waiting for slow (1s); Ctrl-C to cut it short")
		s.Write([]byte("goodbye from quick\n")) // the program writes above the line, which moves on
		shows(time.Second, "hello\ngoodbye from quick\n\nstopping (SIGTERM): waiting for slow (2s); Ctrl-C to cut it short")
		s.Write([]byte("^C"))
		signals <- os.Interrupt
		shows(200*time.Millisecond, "hello\ngoodbye from quick\n^C\nstopping (SIGTERM): waiting for slow (2s, cut); Ctrl-C to exit at once")
		d.Write([]byte("a live report\n"))
		shows(0, "hello\ngoodbye from quick\na live report")
		shows(time.Second, "hello\ngoodbye from quick\na live report\n\nstopping (SIGTERM): waiting for slow (3s, cut); Ctrl-C to exit at once")
		<-done
		shows(0, "hello\ngoodbye from quick\na live report")
	})
}

// A start that takes its time is shown, until the group is ready, or stops.
func TestDisplayOfASlowStart(t *testing.T) {
	inUTF8(t)
	for _, ready := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var s screen
			var g Group
			g.Go("db", func(ctx context.Context) error {
				Unready(ctx, "replaying")
				if ready {
					Sleep(ctx, 2500*time.Millisecond)
					Ready(ctx)
				}
				<-ctx.Done()
				return Sleep(Grace(ctx), time.Second)
			}, AwaitReady(0))
			g.Go("web", func(ctx context.Context) error { <-ctx.Done(); return nil }, After("db"))
			d := newDisplay(&s, func() int { return 80 }, func() []Awaited { return g.current().awaited() })
			g.Observe = d.observe
			s.Write([]byte("hello\n"))
			signals := make(chan os.Signal, 1)
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = Run(t.Context(), &g, FromSignals(signals))
				d.close()
			}()
			shows := func(at time.Duration, want string) { t.Helper(); s.expectAfter(t, at, want) }
			shows(900*time.Millisecond, "hello")
			shows(400*time.Millisecond, "hello\n\nstarting: waiting for db to be ready (1s, replaying) and 1 more; Ctrl-C to stop")
			shows(1000*time.Millisecond, "hello\n\nstarting: waiting for db to be ready (2s, replaying) and 1 more; Ctrl-C to stop")
			if ready {
				shows(400*time.Millisecond, "hello")
				shows(time.Hour, "hello")
			}
			s.Write([]byte("^C"))
			signals <- os.Interrupt
			hello := "hello\n^C"
			shows(400*time.Millisecond, hello+"\nstopping (SIGINT): waiting for db (0s); Ctrl-C to cut it short")
			<-done
			shows(0, "hello")
		})
	}
}

// A stop that is over at once shows nothing, but what comes next does not stand behind the terminal's ^C.
func TestDisplayOfAQuickStop(t *testing.T) {
	for sig, want := range map[os.Signal]string{os.Interrupt: "\r\n", syscall.SIGTERM: ""} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			d := newDisplay(&out, func() int { return 80 }, func() []Awaited { return nil })
			d.observe(Event{Kind: EventState, State: StateStopping, Cause: &StopCause{Reason: StopSignal, Signal: sig}})
			d.close()
			if out.String() != want {
				t.Errorf("after %v: %q, want %q", sig, out.String(), want)
			}
		})
	}
	var out bytes.Buffer
	newDisplay(&out, nil, nil).close() // there was no stop
	if out.Len() > 0 {
		t.Errorf("%q without a stop", out.String())
	}
}

// A terminal that was stopped with Ctrl-S holds up the drawing and not the events.
func TestDisplayOnATerminalThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		d := newDisplay(hangingWriter(hang), func() int { return 80 }, func() []Awaited { return nil })
		d.observe(Event{Kind: EventState, State: StateStopping})
		time.Sleep(time.Second)
		for range 10 {
			d.observe(Event{Name: "w", Kind: EventState, State: StateStopped})
		}
		close(hang)
		d.close()
	})
}

type hangingWriter chan struct{}

func (w hangingWriter) Write(p []byte) (int, error) {
	<-w
	return len(p), nil
}

func TestColumnsOfWhatIsNoTerminal(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	if n := columns(file); n != 0 {
		t.Errorf("a file has %d columns", n)
	}
	file.Close()
	if n := columns(file); n != 0 {
		t.Errorf("a closed file has %d columns", n)
	}
	if n := columns(null); n != 0 {
		t.Errorf("%s has %d columns", os.DevNull, n)
	}
}

// expectAfter waits, in a bubble, and says what the screen shows other than it should.
func (s *screen) expectAfter(t *testing.T, after time.Duration, want string) {
	t.Helper()
	time.Sleep(after)
	synctest.Wait()
	if got := s.String(); got != want {
		t.Errorf("the screen shows:\n%s\nwant:\n%s", got, want)
	}
}
