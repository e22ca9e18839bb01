package config

import (
	"testing"
	"time"
)

// Whatever a schedule says, the next time is after the one before, or there is none, and it is found soon.
func FuzzSchedule(f *testing.F) {
	for _, text := range []string{
		"* * * * *", "*/5 1-3 1,15 * MON", "0 0 29 2 *", "0 0 30 2 *", "@daily", "@every 10m", "@every -1s", "@every 1ns", "CRON_TZ=Europe/Berlin 30 2 * * *",
		"TZ=../../etc/passwd 0 0 * * *", "0 0 31 2,4 *", "60 * * * *", "* * * * * *", "0-99999999999 * * * *", "*/0 * * * *",
	} {
		f.Add(text, int64(1_700_000_000))
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		s, err := parseSchedule(text)
		if err != nil {
			return
		}
		now := time.Unix(unix%(1<<33), 0)
		began := time.Now()
		for range 3 {
			next := s.next(now)
			if next.IsZero() {
				break
			}
			if !next.After(now) {
				t.Fatalf("%q is next at %v, seen from %v", text, next, now)
			}
			now = next
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("%q took %v", text, took)
		}
	})
}
