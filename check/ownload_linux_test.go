package check

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/internal/testset"
)

// ownCPU is what this process and its guards have used of a processor.
func ownCPU(t *testing.T) (sum time.Duration) {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	sum = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	for _, p := range descendants(os.Getpid()) {
		if p.Name != guardName {
			continue
		}
		for _, tid := range tasksOf(p.PID) {
			one, _ := lookAtTask(p, tid)
			sum += one.CPU
		}
	}
	return sum
}

// The check's own load, with its guards', is under 1% of a processor while a daemon is idle. While one takes long to become ready, or to
// stop with very many threads, it is little more, for what begins and ends in so short a time; it is printed, as that of starting and
// stopping again and again is.
func TestOwnLoad(t *testing.T) {
	testset.OnlyLong(t, "it measures")
	const most = 0.01
	for _, test := range []struct {
		name  string
		check *Check
		most  float64
	}{
		{"idle", lifeOf("serve", freePort(t)), most},
		{"a slow stop, 1000 threads", lifeOf("threads", "1000", freePort(t), "5s"), 5 * most}, // the few looks that there are cost so much
		{"a slow start", lifeOf("slow", freePort(t), "5s"), 3 * most},                         // with the start and the end of the life
		{"again and again", lifeOf("serve", freePort(t)), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := test.check
			if test.name == "a slow start" {
				c.URL = "http://" + c.Command[1] + "/"
			}
			c.Only = map[string][]string{"idle": {"idle"}, "again and again": {"startup", "again"}}[test.name]
			if c.Only == nil {
				c.Only = []string{"term"}
			}
			// The CPU that the guards' start takes is what a process start takes; it is over when a scenario begins.
			var began time.Time
			var before time.Duration
			var took, used time.Duration
			c.Observe = func(p Progress) {
				switch {
				case p.Scenario == c.Only[0] && p.Text == "begins":
					began, before = time.Now(), ownCPU(t)
				case p.Result != nil:
					took, used = time.Since(began), ownCPU(t)-before
				}
			}
			report := run(t, c)
			share := float64(used) / float64(took)
			t.Logf("%v of CPU in %v: %.2f%% of a processor, %d lives", used.Round(10*time.Microsecond), took.Round(time.Millisecond), 100*share, report.Lives)
			if share > test.most {
				t.Errorf("more than %.0f%%", 100*test.most)
			}
		})
	}
}
