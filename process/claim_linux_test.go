package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// claimVariable makes the test binary a program whose processes have these scripts, with newlines between: a, b, … Before a
// script may stand what differs: "process " for KillProcess. It stops one of them at each line on stdin that names it, and all at
// the end of stdin; and it says how each ended, and what strays there are then. The first word says what the program is: claim,
// none, foreign, which runs a command besides, early, which has run one before, or inherits, which has a child from before its exec.
const claimVariable = "LASTCALL_TEST_CLAIM"

func init() {
	lives[claimVariable] = func(text string) {
		how, scripts, _ := strings.Cut(text, "\n")
		if how == "inherits" { // as a shell that starts something and is replaced
			os.Setenv(claimVariable, "claim\n"+scripts)
			cmd := exec.Command("sleep", "1000")
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			runtime.LockOSThread()
			if err := cmd.Start(); err != nil {
				panic(err)
			}
			panic(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
		}
		if how != "none" {
			Claim()
		}
		if how == "early" { // one that nothing but package os/exec has started
			cmd := exec.Command(os.Args[0])
			cmd.Env = []string{raceVariable, scriptVariable + "=spawn bare { on TERM { say early TERM; exit 0 }; say early PID; wait }; exit 0"}
			cmd.Stdout = os.Stdout
			if err := cmd.Run(); err != nil {
				panic(err)
			}
			nextTick()
		}
		var command *exec.Cmd
		if how == "foreign" {
			command = exec.Command("cat")
			command.Env = []string{}
			command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			if _, err := command.StdinPipe(); err != nil {
				panic(err)
			}
			onFirstThread(func() { // one that this starts is a child like an orphan
				if err := command.Start(); err != nil {
					panic(err)
				}
			})
		}
		tell := func(what string, list []Relative) { fmt.Println(strings.TrimSpace(what + ": " + relatives(list))) }
		ctx, cancel := context.WithCancel(context.Background())
		group := &lastcall.Group{Grace: limit, HardStop: limit}
		names := map[string]*Process{}
		for i, one := range strings.Split(scripts, "\n") {
			one, only := strings.CutPrefix(one, "process ")
			p := script(one)
			if only {
				p.Kill = KillProcess
			}
			name := string(rune('a' + i))
			names[name] = p
			group.Add(name, p, lastcall.Optional())
		}
		go func() {
			var name string
			for {
				if _, err := fmt.Scanln(&name); err != nil {
					cancel()
					return
				}
				_ = group.Stop(ctx, name)
				tell("stopped "+name, names[name].Relatives())
			}
		}()
		err := group.Run(ctx)
		for name, p := range names {
			tell("ended "+name, p.Relatives())
		}
		list, spared := Strays()
		tell("strays", list)
		tell("spared", spared)
		ended, _ := EndStrays(context.Background())
		tell("strays ended", ended)
		if command != nil {
			fmt.Println("command", command.Process.Signal(syscall.Signal(0)) == nil)
			command.Process.Kill()
			command.Wait()
		}
		fmt.Println("over", err)
	}
}

// nextTick returns when a process that starts now has started later than those that there are.
func nextTick() {
	uptime := func() string {
		text, _ := os.ReadFile("/proc/uptime")
		return string(text)
	}
	for range 2 {
		for before := uptime(); uptime() == before; time.Sleep(time.Millisecond) {
		}
	}
}

// onFirstThread calls fn on the first thread of the process. Until a goroutine happens to be on it some others hold theirs, and not too many:
// the first may be waiting in the runtime's poller, where the next goroutine does not wake it.
func onFirstThread(fn func()) {
	const most = 100
	for {
		release := make(chan struct{})
		for range most {
			first := make(chan bool)
			go func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				if syscall.Gettid() == self {
					fn()
					first <- true
					return
				}
				first <- false
				<-release
			}()
			if <-first {
				close(release)
				return
			}
		}
		close(release)
		time.Sleep(time.Millisecond)
	}
}

// claiming is such a program.
type claiming struct {
	*voice
	t   *testing.T
	cmd *exec.Cmd
	in  *os.File
}

func startClaiming(t *testing.T, how string, scripts ...string) *claiming {
	t.Helper()
	v := listen(t)
	r, w, err := os.Pipe()
	noError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), claimVariable+"="+how+"\n"+strings.Join(scripts, "\n"), raceVariable)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r, v.w, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	noError(t, cmd.Start())
	r.Close()
	t.Cleanup(func() {
		w.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return &claiming{v, t, cmd, w}
}

// stray waits until what says name is an orphan of the program, and returns its number.
func (c *claiming) stray(name string) int {
	c.t.Helper()
	pid := pidOf(c.t, c.value(c.t, name+" "))
	eventually(c.t, name+" is an orphan of the program", func() bool {
		k, ok := statOf(pid)
		return ok && k.parent == c.cmd.Process.Pid
	})
	return pid
}

// stop stops one process of the program.
func (c *claiming) stop(name string) string {
	c.t.Helper()
	_, err := c.in.WriteString(name + "\n")
	noError(c.t, err)
	return c.value(c.t, "stopped "+name+":")
}

// end stops all, and waits until nothing is left.
func (c *claiming) end() {
	c.t.Helper()
	c.in.Close()
	c.value(c.t, "over ")
}

// daemon is a script that leaves a process without session, group, ancestry and environment of its family, which says name.
func daemon(name string) string {
	return `on TERM { exit 0 }; spawn bare { spawn bare { on TERM { say ` + name + ` TERM; exit 0 }; say ` + name + ` PID; wait }; exit 0 }; wait`
}

// An orphan of which nothing tells whose it is belongs to the only family there is.
func TestClaimOfOne(t *testing.T) {
	c := startClaiming(t, "claim", daemon("stray"))
	c.stray("stray")
	c.end()
	c.silence(t)
	c.await(t, "stray TERM", "strays:", "strays ended:")
	if got := c.value(t, "ended a:"); !strings.Contains(got, "which left the session and cleared its environment") {
		t.Errorf("its family ended with %q", got)
	}
}

// Of two families, the one that stops alone leaves it to the other.
func TestClaimOfTwo(t *testing.T) {
	c := startClaiming(t, "claim", daemon("one"), daemon("two"))
	one, two := c.stray("one"), c.stray("two")
	if got := c.stop("a"); got != "" || !alive(one) || !alive(two) {
		t.Errorf("the first that stopped left behind %q", got)
	}
	c.end()
	c.silence(t)
	c.await(t, "one TERM", "two TERM", "strays:")
	if got := c.value(t, "ended b:"); strings.Count(got, "cleared its environment") != 2 {
		t.Errorf("the last ended with %q", got)
	}
}

// One of a family that stops together with others is stopped by one of them.
func TestClaimWhereAllStop(t *testing.T) {
	c := startClaiming(t, "claim", daemon("one"), daemon("two"), daemon("three"))
	for _, name := range []string{"one", "two", "three"} {
		c.stray(name)
	}
	c.end()
	c.silence(t)
	c.await(t, "one TERM", "two TERM", "three TERM", "strays:")
}

// What may be meant to live on does: the family's stop leaves it alone, or it may descend from a child that was there before.
func TestClaimSpares(t *testing.T) {
	for how, scripts := range map[string][]string{
		"claim":    {"process " + daemon("stray"), daemon("other")},
		"inherits": {daemon("stray")},
	} {
		t.Run(how, func(t *testing.T) {
			c := startClaiming(t, how, scripts...)
			pids := []int{c.stray("stray")}
			if how == "claim" {
				pids = append(pids, c.stray("other"))
			}
			c.end()
			for _, pid := range pids {
				if !alive(pid) {
					t.Errorf("%d is gone", pid)
				}
				syscall.Kill(pid, syscall.SIGKILL)
			}
			if got := c.value(t, "spared:"); strings.Count(got, "cleared its environment") != len(pids) && strings.Count(got, "[") != len(pids) {
				t.Errorf("spared is %q, want %d", got, len(pids))
			}
			c.await(t, "strays:", "strays ended:")
		})
	}
}

// An orphan that no family can have, as it was there before all of them, is ended in the end.
func TestStraysAreEnded(t *testing.T) {
	c := startClaiming(t, "early", `on TERM { exit 0 }; say up PID; wait`)
	c.value(t, "up ")
	c.stray("early")
	c.end()
	c.silence(t)
	c.await(t, "early TERM", "ended a:")
	for _, name := range []string{"strays:", "strays ended:"} {
		if got := c.value(t, name); !strings.Contains(got, "[") {
			t.Errorf("%s%q", name, got)
		}
	}
}

// A program that claims nothing, and a command of package os/exec, are left alone.
func TestClaimOfNone(t *testing.T) {
	c := startClaiming(t, "none", daemon("stray"))
	stray := c.stray("stray")
	c.end()
	if !alive(stray) {
		t.Errorf("the orphan %d is gone", stray)
	}
	syscall.Kill(stray, syscall.SIGKILL)
	c.await(t, "strays:", "ended a:")

	c = startClaiming(t, "foreign", `on TERM { exit 0 }; say up PID; wait`)
	c.value(t, "up ")
	c.end()
	c.silence(t)
	c.await(t, "strays:", "strays ended:", "command "+strconv.FormatBool(true), "ended a:")
}
