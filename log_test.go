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

func expectLog(t *testing.T, out *lockedBuffer, want ...string) {
	t.Helper()
	if got := strings.TrimSuffix(out.String(), "\n"); got != strings.Join(want, "\n") {
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
			<-ctx.Done()
			time.Sleep(time.Hour)
			return nil
		}, lastcall.After("db"))
		err := runUnderSignals(t, &g, []blow{{time.Second, syscall.SIGTERM}}, lastcall.Listen(lastcall.LogStop(log)))
		if lastcall.ExitCode(err) != 4 {
			t.Error(err)
		}
		expectLog(t, out,
			`level=INFO msg="group: lame duck, serving for another 1s" cause="soft stop: SIGTERM"`,
			`level=INFO msg="group: stopping" cause="soft stop: SIGTERM"`,
			`level=INFO msg="web: stopping" in_flight=1 cause="soft stop: SIGTERM"`,
			`level=INFO msg="stuck: stopping" cause="soft stop: SIGTERM"`,
			`level=WARN msg="group: stopping, waiting for stuck (1s), web (1s, 1 in flight, table 7)"`,
			`level=WARN msg="group: stopping, waiting for stuck (3s), web (3s, 1 in flight, table 7)"`,
			`level=INFO msg="web: stopped"`,
			`level=WARN msg="stuck: cut" cause="hard stop: its 4.5s of grace expired"`,
			`level=ERROR msg="stuck: abandoned" error="stuck: abandoned, still running 5.25s after its soft stop" stacks=here`,
			`level=INFO msg="db: stopping" cause="soft stop: SIGTERM"`,
			`level=INFO msg="db: stopped"`,
			`level=ERROR msg="group: stopped" error="stuck: abandoned, still running 5.25s after its soft stop"`,
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
			`level=DEBUG msg="group: starting"`,
			`level=DEBUG msg="cache: starting"`,
			`level=INFO msg="cache: ready"`,
			`level=WARN msg="cache: not ready: no peers, none at all"`,
			`level=INFO msg="cache: ready again"`,
			`level=ERROR msg="feed: failed" error="no route\nto host"`,
			`level=WARN msg="feed: restarting in 0s, restart 1" error="no route\nto host"`,
			`level=INFO msg="group: reloaded"`,
			`level=ERROR msg="group: reload failed" error="reload: bad line 7"`,
			`level=ERROR msg="cook: rejected" error="lastcall: worker \"cook\" was added twice"`,
			`level=ERROR msg="cook: broke" error="panic: fire" stacks=here`,
			`level=ERROR msg="cook: failed" error="panic: fire"`,
			`level=INFO msg="group: stopping" cause="soft stop: cook failed: panic: fire"`,
			`level=INFO msg="cache: stopping" cause="soft stop: cook failed: panic: fire"`,
			`level=INFO msg="feed: stopped"`,
		} {
			if !strings.Contains(text, line+"\n") && !strings.Contains(text, line+" ") {
				t.Errorf("no line %s in:\n%s", line, text)
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

// Of a start and a life that go as they should, LogStop says nothing; of what goes wrong in them it does.
func TestLogStopBeforeTheStop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log, out := textLog(slog.LevelDebug)
		calls := 0
		var g lastcall.Group
		g.Go("calm", untilStop)
		g.Go("flaky", func(ctx context.Context) error {
			if calls++; calls == 1 {
				return errors.New("cold start")
			}
			<-ctx.Done()
			return nil
		}, lastcall.Restart(lastcall.RestartPolicy{MinDelay: 1, MaxDelay: 1}))
		early := ""
		g.Go("later", func(ctx context.Context) error {
			lastcall.Sleep(ctx, time.Second)
			early = out.String()
			<-ctx.Done()
			return nil
		})
		if err := runUnderSignals(t, &g, []blow{{time.Minute, os.Interrupt}}, lastcall.Listen(lastcall.LogStop(log))); err != nil {
			t.Error(err)
		}
		want := "level=ERROR msg=\"flaky: failed\" error=\"cold start\"\nlevel=WARN msg=\"flaky: restarting in 0s, restart 1\" error=\"cold start\"\n"
		if early != want {
			t.Errorf("log before the stop:\n%s\nwant:\n%s", early, want)
		}
		if !strings.HasSuffix(out.String(), "level=INFO msg=\"group: stopped\" cause=\"soft stop: SIGINT\"\n") && !strings.HasSuffix(out.String(), "level=INFO msg=\"group: stopped\"\n") {
			t.Errorf("the end is not in the log:\n%s", out.String())
		}
	})
}
