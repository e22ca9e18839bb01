package lastcall_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// textLog is a logger whose lines have no time, and what it wrote.
func textLog(level slog.Level) (*slog.Logger, *lockedBuffer) {
	var out lockedBuffer
	return slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch {
			case a.Key == slog.TimeKey:
				return slog.Attr{}
			case a.Key == "stacks" && strings.Contains(a.Value.String(), ".go:"):
				return slog.String(a.Key, "here")
			}
			return a
		},
	})), &out
}

func isReady(line string) bool { return strings.Contains(line, `msg="worker ready"`) }

func expectLog(t *testing.T, out *lockedBuffer, want ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for i := range lines { // workers that start together are ready in any order
		for n := i; n > 0 && isReady(lines[n]) && isReady(lines[n-1]) && lines[n] < lines[n-1]; n-- {
			lines[n], lines[n-1] = lines[n-1], lines[n]
		}
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("log:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

func TestLogOfAStop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log, out := textLog(slog.LevelInfo)
		g := lastcall.Group{Grace: 7 * time.Second, HardStop: 2 * time.Second, LameDuck: time.Second}
		g.Go("db", untilStop)
		g.Go("web", func(ctx context.Context) error {
			return lastcall.Do(ctx, func(ctx context.Context) error { // a request that takes its time
				lastcall.Status(ctx, "table 7")
				return lastcall.Sleep(ctx, 6*time.Second)
			})
		}, lastcall.After("db"))
		g.Go("stuck", func(ctx context.Context) error {
			lastcall.Status(ctx, "cannot")
			<-ctx.Done()
			time.Sleep(time.Hour)
			return nil
		}, lastcall.After("db"))
		err := runUnderSignals(t, &g, []blow{{time.Second, syscall.SIGTERM}}, lastcall.Listen(lastcall.Log(log)))
		if lastcall.ExitCode(err) != 4 {
			t.Error(err)
		}
		expectLog(t, out,
			`level=INFO msg="worker ready" worker=db state=ready`,
			`level=INFO msg="worker ready" worker=stuck state=ready`,
			`level=INFO msg="worker ready" worker=web state=ready`,
			`level=INFO msg="group ready" state=ready`,
			`level=INFO msg="group lame duck" delay=1s cause=SIGTERM`,
			`level=INFO msg="group stopping" state=stopping cause=SIGTERM`,
			`level=INFO msg="worker stopping" worker=web state=stopping in_flight=1 cause=SIGTERM`,
			`level=INFO msg="worker stopping" worker=stuck state=stopping cause=SIGTERM`,
			`level=WARN msg="group waiting" state=stopping waiting_for="stuck (1s, cannot), web (1s, 1 in flight, table 7)"`,
			`level=WARN msg="group waiting" state=stopping waiting_for="stuck (3s, cannot), web (3s, 1 in flight, table 7)"`,
			`level=INFO msg="worker stopped" worker=web state=stopped took=4s`,
			`level=WARN msg="worker cut" worker=stuck state=cut took=4.5s cause="its 4.5s of grace expired"`,
			`level=ERROR msg="worker abandoned" worker=stuck state=abandoned took=5.25s status=cannot stacks=here`,
			`level=INFO msg="worker stopping" worker=db state=stopping cause=SIGTERM`,
			`level=INFO msg="worker stopped" worker=db state=stopped`,
			`level=ERROR msg="group stopped" state=stopped took=5.25s`,
		)
		time.Sleep(time.Hour)
	})
}

func TestLogOfEverythingElse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log, out := textLog(slog.LevelDebug)
		g := lastcall.Group{Observe: lastcall.Log(log)}
		g.Go("cache", func(ctx context.Context) error {
			lastcall.Sleep(ctx, time.Second)
			lastcall.Unready(ctx, "no peers,\nnone at all")
			lastcall.Sleep(ctx, time.Second)
			lastcall.Ready(ctx)
			<-ctx.Done()
			return nil
		})
		calls := 0
		g.Go("feed", func(ctx context.Context) error {
			if calls++; calls == 1 {
				lastcall.Sleep(ctx, 5*time.Second)
				return errors.New("no route\nto host")
			}
			<-ctx.Done()
			return nil
		}, lastcall.Restart(lastcall.RestartPolicy{MinDelay: 1, MaxDelay: 1}))
		g.Go("cook", func(ctx context.Context) error {
			lastcall.Sleep(ctx, 10*time.Second)
			g.Go("cook", untilStop)
			panic("fire")
		})
		reloads := 0
		reload := lastcall.OnReload(func(context.Context) error {
			if reloads++; reloads == 2 {
				return errors.New("bad line 7")
			}
			return nil
		})
		blows := []blow{{7 * time.Second, hup}, {8 * time.Second, hup}}
		if len(blows) == 2 && !hasReload() {
			t.Skip("no SIGHUP here")
		}
		if err := runUnderSignals(t, &g, blows, reload); lastcall.ExitCode(err) == 0 {
			t.Error(err)
		}
		text := out.String()
		for _, line := range []string{
			`level=DEBUG msg="group starting" state=starting`,
			`level=DEBUG msg="worker starting" worker=cache state=starting`,
			`level=INFO msg="worker ready" worker=cache state=ready`,
			`level=WARN msg="worker not ready" worker=cache reason="no peers, none at all"`,
			`level=INFO msg="worker ready again" worker=cache`,
			`level=ERROR msg="worker failed" worker=feed state=failed took=5s error="no route to host"`,
			`level=WARN msg="worker restarting" worker=feed state=restarting attempt=1`,
			`level=INFO msg=reloaded`,
			`level=ERROR msg="reload failed" error="reload: bad line 7"`,
			`level=ERROR msg="worker rejected" worker=cook error="lastcall: worker \"cook\" was added twice"`,
			`level=ERROR msg="worker panicked" worker=cook error="panic: fire" stacks=here`,
			`level=ERROR msg="worker failed" worker=cook state=failed took=10s`,
			`level=INFO msg="group stopping" state=stopping cause="cook failed"`,
			`level=INFO msg="worker stopping" worker=cache state=stopping cause="cook failed"`,
			`level=INFO msg="worker stopped" worker=feed state=stopped`,
			`level=ERROR msg="group failed" state=failed`,
		} {
			if !strings.Contains(text, line+"\n") && !strings.Contains(text, line+" ") {
				t.Errorf("no line %s in:\n%s", line, text)
			}
		}
		for _, told := range []string{"no route", "bad line 7", "added twice", "fire"} {
			if n := strings.Count(text, told); n != 1 {
				t.Errorf("%q is logged %d times:\n%s", told, n, text)
			}
		}
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "level=") {
				t.Errorf("an event in more than one line: %q", line)
			}
		}
	})
}

func hasReload() bool { return os.PathSeparator == '/' }

// The errors of a nested group are those of its workers, each in one record, and so is work that was cut.
func TestLogOfANestedGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log, out := textLog(slog.LevelWarn)
		inner := new(lastcall.Group)
		outer := lastcall.Group{Observe: lastcall.Log(log), Grace: 10 * time.Second}
		busy := make(chan struct{})
		inner.Go("web", func(ctx context.Context) error {
			return lastcall.Do(ctx, func(ctx context.Context) error {
				close(busy)
				return lastcall.Sleep(ctx, time.Hour)
			})
		})
		inner.Go("bad", func(ctx context.Context) error {
			<-busy
			return errors.New("no disk\x1b[2J\u202e")
		})
		outer.Add("shop", inner)
		if err := outer.Run(t.Context()); err == nil {
			t.Error("no error")
		}
		text := out.String()
		for told, want := range map[string]int{
			"no disk": 1, "unit in flight cut": 1, "level=ERROR msg=\"worker failed\" worker=shop/bad": 1, "level=WARN msg=\"worker stopped\" worker=shop/web": 1,
		} {
			if n := strings.Count(text, told); n != want {
				t.Errorf("%q is logged %d times, want %d:\n%s", told, n, want, text)
			}
		}
		if !strings.Contains(text, `no disk\\x1b[2J\\u202e`) {
			t.Errorf("not escaped:\n%s", text)
		}
	})
}
