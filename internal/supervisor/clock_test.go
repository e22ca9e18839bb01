//go:build unix

package supervisor

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall/internal/supervisor/config"
)

// It is due at just the times of the schedule.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &config.Process{Schedule: "CRON_TZ=UTC 30 3 * * mon"}
		c := newClock()
		last := time.Now()
		for range 10 {
			next := p.NextRun(last)
			if reply, due := c.wait(t.Context(), next); reply != nil || !due {
				t.Fatal("it is not due by itself")
			}
			last = time.Now()
			if utc := last.UTC(); !last.Equal(next) || utc.Weekday() != time.Monday || utc.Format(time.TimeOnly) != "03:30:00" {
				t.Errorf("it was due at %v, and wanted at %v", utc, next)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, due := c.wait(ctx, p.NextRun(last)); due {
			t.Error("it is due after its end")
		}
		if _, due := c.wait(ctx, time.Time{}); due {
			t.Error("it is due though it never is to be")
		}
	})
}

// A time that comes while it runs is left out: it is not made up for when the run is over, also if that was to be run at once.
func TestMissedRunsAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := &config.Process{Schedule: "@every 10m"}
		zero := time.Now()
		var began []time.Duration
		c := newClock()
		_ = c.run(ctx, p.NextRun, func() {}, func() error {
			began = append(began, time.Since(zero))
			if len(began) == 1 {
				time.Sleep(35 * time.Minute)
			}
			return nil
		}, func(_, ended time.Time, _ error) {
			if len(began) == 3 {
				cancel()
			}
		})
		if want := []time.Duration{10 * time.Minute, 55 * time.Minute, 65 * time.Minute}; !slices.Equal(began, want) {
			t.Errorf("it ran at %v, want %v", began, want)
		}
	})
}

func TestMissed(t *testing.T) {
	i := &instance{def: &definition{Process: &config.Process{Schedule: "CRON_TZ=UTC */10 * * * *"}}}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for after, want := range map[time.Duration]int{time.Minute: 0, 10 * time.Minute: 1, 35 * time.Minute: 3, 1e6 * time.Hour: mostMissed} {
		if n := i.missed(from, from.Add(after)); n != want {
			t.Errorf("in %v it missed %d, want %d", after, n, want)
		}
	}
}

// It runs by itself, again and again, and never twice at once: what comes while it runs is left out, and that is said.
func TestKernelSchedule(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/free"
	u := start(t, fileOf(t,
		shellProcess("often", "echo ran", func(p *config.Process) { p.Schedule = "@every 1s" }),
		shellProcess("long", `echo begun; until test -e "`+path+`"; do sleep 0.05; done; echo over`, func(p *config.Process) { p.Schedule = "@every 1s" }),
		shellProcess("frees", "echo hello; sleep 2.5; : >"+path, func(p *config.Process) { p.Oneshot, p.OnExit = true, config.OnExitContinue }),
	))
	u.await(`(?s)often +\| ran$.*often +\| ran$.*often +\| ran$`)
	u.await(`long: left out \d+ runs?, since it ran for \d+s`)
	u.await(`(?s)long +\| begun$.*long +\| over$.*long +\| begun$`)
	if status := u.end(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d, %v", status, u.err)
	}
}
