package process

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

// waitingChild is a child that is this process, with a socket that only a deadline has read: as in a process that was halted.
func waitingChild(t *testing.T, p *Process, s *notifySocket) *child {
	c := &child{p: p, ctx: t.Context(), notify: s, exited: make(chan struct{})}
	h, err := here.open(os.Getpid())
	noError(t, err)
	t.Cleanup(h.close)
	c.main, c.first, c.family = h, h, s.family
	if p.Ready.ways() > 0 {
		c.becameReady = make(chan error, 1)
	}
	return c
}

// What waits in the socket is heard before a deadline is judged, whichever of the two is seen first.
func TestDeadlinesHearWhatWaits(t *testing.T) {
	for name, test := range map[string]struct {
		p     *Process
		texts []string      // one each second
		want  time.Duration // when it fails
		err   string
	}{
		"watchdog":          {&Process{Watchdog: time.Second}, []string{"WATCHDOG=1", "STATUS=a|WATCHDOG=1", "STATUS=b"}, 3 * time.Second, "no WATCHDOG=1 for 1s"},
		"watchdog's length": {&Process{Watchdog: time.Second}, []string{"WATCHDOG_USEC=7000000", ""}, 8 * time.Second, "no WATCHDOG=1 for 7s"},
		"trigger":           {&Process{Watchdog: time.Second}, []string{"WATCHDOG=1", "WATCHDOG=1|WATCHDOG=trigger"}, 2 * time.Second, "WATCHDOG=trigger"},
		"ready":             {&Process{Ready: Ready{Notify: true, Within: time.Second}, Watchdog: 5 * time.Second}, []string{"READY=1"}, 6 * time.Second, "no WATCHDOG=1 for 5s"},
		"more time":         {&Process{Ready: Ready{Notify: true, Within: time.Second}}, []string{"EXTEND_TIMEOUT_USEC=1000000", "EXTEND_TIMEOUT_USEC=3000000"}, 5 * time.Second, "not ready within 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := ownSocket(t)
				c := waitingChild(t, test.p, s)
				began := time.Now()
				failed := make(chan error, 1)
				go func() {
					if c.p.Ready.Within > 0 {
						c.startBy.set(c.p.Ready.Within)
						c.startLimit = time.Now().Add(time.Hour)
					} else {
						c.setReady()
					}
					failed <- c.wait()
				}()
				for i, text := range test.texts {
					time.Sleep(time.Until(began.Add(time.Duration(i)*time.Second + time.Second/2)))
					if text != "" {
						tell(s.name, text)
					}
				}
				err := <-failed
				if took := time.Since(began); took != test.want || !strings.Contains(fmt.Sprint(err), test.err) {
					t.Errorf("after %v: %v; want %q after %v", took, err, test.err, test.want)
				}
			})
		})
	}
}

// A deadline whose timer fires late is moved by as much, and at most by its own time: the pause is not the child's.
func TestDeadlineAfterAPause(t *testing.T) {
	for _, test := range []struct{ pause, want time.Duration }{
		{time.Second / 2, time.Second},
		{time.Second + heldUp, time.Second + heldUp},
		{4 * time.Second, 7 * time.Second}, // three seconds late
		{time.Hour, time.Hour + time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var d deadline
			if d.passing() != nil || d.passed() {
				t.Error("one that is none has passed")
			}
			d.set(time.Second)
			time.Sleep(test.pause) // nobody looks
			for again := true; again; again = !d.passed() {
				<-d.passing()
			}
			want := test.want
			if d := test.pause - time.Second; d > heldUp {
				want = test.pause + min(d, time.Second)
			}
			if took := time.Since(began); took != want {
				t.Errorf("a pause of %v: passed after %v, want %v", test.pause, took, want)
			}
		})
	}
}

// A probe that was held up with this process is repeated and not counted.
func TestProbeAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		err := within(t.Context(), time.Second, func(ctx context.Context) error {
			if looks++; looks == 1 {
				time.Sleep(4 * time.Second)
				return ctx.Err()
			}
			return nil
		})
		if err != nil || looks != 2 {
			t.Errorf("%d looks, %v", looks, err)
		}
		looks = 0
		err = within(t.Context(), time.Second, func(ctx context.Context) error {
			looks++
			<-ctx.Done()
			return ctx.Err()
		})
		if err == nil || looks != 1 {
			t.Errorf("%d looks, %v", looks, err)
		}
	})
}

// many is how many children the halted supervisor has.
const many = 40

func init() {
	lives["LASTCALL_TEST_MANY"] = func(text string) {
		times, text, _ := strings.Cut(text, ";")
		p := script(text)
		p.Ready.Notify, p.Ready.Within = true, limit
		var g lastcall.Group
		if _, err := fmt.Sscan(times, (*lengths)(&p.Watchdog), (*lengths)(&g.Grace)); err != nil {
			panic(err)
		}
		for i := range many {
			one := &Process{Command: p.Command, Env: p.Env, Ready: p.Ready, Watchdog: p.Watchdog, Stdout: os.Stdout}
			g.Add(fmt.Sprintf("child-%d", i), one)
		}
		g.Go("ready", func(ctx context.Context) error {
			fmt.Println("all ready")
			<-ctx.Done()
			return nil
		}, lastcall.After(names(many)...))
		ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer cancel()
		fmt.Println("ended:", g.Run(ctx))
	}
}

// lengths is a duration that package fmt reads.
type lengths time.Duration

func (l *lengths) Scan(state fmt.ScanState, _ rune) error {
	word, err := state.Token(true, nil)
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(string(word))
	*l = lengths(d)
	return err
}

func names(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("child-%d", i))
	}
	return list
}

// supervisor is a process with many children, and the lines that it and they write.
type supervisor struct {
	*exec.Cmd
	t     *testing.T
	lines *bufio.Scanner
}

// supervise starts one that is ready. Its children carry out the script.
func supervise(t *testing.T, watchdog, grace time.Duration, text string) *supervisor {
	t.Helper()
	self, err := os.Executable()
	noError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("LASTCALL_TEST_MANY=%v %v; %s", watchdog, grace, text), raceVariable)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	noError(t, err)
	noError(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	timer := time.AfterFunc(limit, func() { cmd.Process.Kill() })
	t.Cleanup(func() { timer.Stop() })
	s := &supervisor{cmd, t, bufio.NewScanner(out)}
	for s.next() != "all ready" {
	}
	return s
}

func (s *supervisor) next() string {
	s.t.Helper()
	if !s.lines.Scan() {
		s.t.Fatalf("it ended, or was killed after %v", limit)
	}
	return s.lines.Text()
}

// ends waits for the end, which must be a good one.
func (s *supervisor) ends() {
	s.t.Helper()
	for {
		if line := s.next(); strings.HasPrefix(line, "ended:") {
			if line != "ended: <nil>" {
				s.t.Error(line)
			}
			return
		}
	}
}

// None is killed for the silence of a supervisor that was halted for longer than the watchdog's time, while all its children went on.
func TestWatchdogAfterAPause(t *testing.T) {
	t.Parallel()
	const watchdog, beat = 2 * time.Second, 400 * time.Millisecond
	s := supervise(t, watchdog, limit, "notify READY=1; beat "+beat.String())
	beats := map[string]int{}
	next := func() {
		t.Helper()
		line := s.next()
		if strings.HasPrefix(line, "beat ") {
			beats[line]++
		} else if strings.HasPrefix(line, "ended:") {
			t.Fatal(line)
		}
	}
	for range 2 {
		noError(t, s.Process.Signal(syscall.SIGSTOP))
		clear(beats)
		for began := time.Now(); time.Since(began) < watchdog+watchdog/4 || len(beats) < many; { // they go on, and their messages find room in the socket
			next()
		}
		noError(t, s.Process.Signal(syscall.SIGCONT))
		clear(beats)
		live := func() (n int) {
			for _, b := range beats {
				if b > int(3*watchdog/2/beat) {
					n++
				}
			}
			return n
		}
		for live() < many {
			next()
		}
	}
	noError(t, s.Process.Signal(syscall.SIGTERM))
	s.ends()
}

// Children that end in time while their supervisor is halted have ended in time, also if it goes on only when everything is over.
func TestStopAfterAPause(t *testing.T) {
	t.Parallel()
	const grace = 4 * time.Second
	s := supervise(t, time.Minute, grace, "on TERM { say told PID }; on USR1 { say ends; exit 0 }; notify READY=1; wait")
	began := time.Now()
	noError(t, s.Process.Signal(syscall.SIGTERM))
	var pids []int
	for len(pids) < many {
		if pid, ok := strings.CutPrefix(s.next(), "told "); ok {
			pids = append(pids, pidOf(t, pid))
		}
	}
	noError(t, s.Process.Signal(syscall.SIGSTOP))
	if took := time.Since(began); took > grace/2 {
		t.Skipf("the machine is too busy: %v for a signal to all", took)
	}
	for _, pid := range pids {
		noError(t, syscall.Kill(pid, syscall.SIGUSR1))
	}
	for ended := 0; ended < many; {
		if s.next() == "ends" {
			ended++
		}
	}
	<-time.After(time.Until(began.Add(grace + 2*lastcall.DefaultHardStop))) // as long as the pause is
	noError(t, s.Process.Signal(syscall.SIGCONT))
	s.ends()
}

// What was awaited and its time may come at once: then it has come, also if only the system knows yet. More time that was asked for
// in time counts as well.
func TestStopHearsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ownSocket(t)
		c := waitingChild(t, &Process{Grace: 2 * time.Second, Notify: true}, s)
		c.plan()
		began := time.Now()
		time.AfterFunc(time.Second, func() { tell(s.name, "EXTEND_TIMEOUT_USEC=3000000") })
		never := func() <-chan struct{} { return nil }
		if got := c.await(never, func() time.Time { return c.stop.until(stageLeft, KillFamily) }); got != expired || time.Since(began) != 5*time.Second {
			t.Errorf("outcome %d after %v, want %d after 5s", got, time.Since(began), expired)
		}
	})
	cmd := exec.Command("true")
	noError(t, cmd.Start())
	defer cmd.Wait()
	h, err := here.open(cmd.Process.Pid)
	noError(t, err)
	defer h.close()
	eventually(t, "it has ended", h.over)
	hard := make(chan struct{})
	close(hard)
	exited := make(chan struct{}) // the watcher is late
	c := &child{p: &Process{}, ctx: t.Context(), hard: hard, told: true, exited: exited, sayExited: func() { close(exited) }, main: h}
	if got := c.await(func() <-chan struct{} { return c.exited }, func() time.Time { return time.Now().Add(time.Hour) }); got != ended || c.stop.cut {
		t.Errorf("outcome %d, want %d", got, ended)
	}
}

// An answer to a reload that is heard only just after its time, as after a pause of this process, has come in time.
func TestReloadIsAnsweredAtTheLastMoment(t *testing.T) {
	for after, inTime := range map[time.Duration]bool{heldUp / 2: true, 2 * heldUp: false} {
		synctest.Test(t, func(t *testing.T) {
			p := &Process{Command: []string{"web"}, Notify: true}
			c := waitingChild(t, p, ownSocket(t))
			p.current.Store(c)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			time.AfterFunc(time.Second+after, func() {
				c.hear(&note{reloading: true})
				c.hear(&note{ready: true})
			})
			began := time.Now()
			if err := p.Reload(ctx, 0); (err == nil) != inTime || time.Since(began) > time.Second+heldUp {
				t.Errorf("heard %v too late: %v after %v", after, err, time.Since(began))
			}
			time.Sleep(time.Second) // the other word comes in this bubble
		})
	}
}
