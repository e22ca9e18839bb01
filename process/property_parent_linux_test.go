package process

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/internal/testset"
)

// supervisorVariable makes the test binary a supervisor of a case, which is written at this path.
const supervisorVariable = "LASTCALL_TEST_SUPERVISOR"

func init() {
	lives[supervisorVariable] = func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		var s supervised
		if err := json.Unmarshal(text, &s); err != nil {
			panic(err)
		}
		c := &trial{plan: s.Plan, member: s.Member, mark: s.Mark, log: s.Log}
		c.build()
		ctx, cancel := context.WithTimeout(context.Background(), s.Plan.Stop)
		defer cancel()
		go c.act(ctx, time.Now())
		_ = c.group.Run(ctx)
	}
}

// supervised is a case for a supervisor that is to die.
type supervised struct {
	Plan              *groupPlan
	Member, Mark, Log string
}

// TestSupervisorsDeath kills supervisors of random families at random times: the main processes go with them, what is left is
// what Leftovers finds, and EndLeftovers ends it, softly.
func TestSupervisorsDeath(t *testing.T) {
	var orphaned atomic.Int32
	cases(t, testset.Of(t, 15, 30), func(member string, seed int) []string {
		c := newTrial(t, member, rapid.Custom(drawGroup).Example(seed))
		c.mark, c.orphaned = rand.Text(), &orphaned
		if seed%4 > 0 { // it does not stop by itself before
			c.plan.Stop = time.Minute
		}
		c.plan.Acts = slices.DeleteFunc(c.plan.Acts, func(a actPlan) bool { return a.What == "kill" || a.What == "halt" }) // they are not written down
		return c.orphan(time.Duration(seed*37%400) * time.Millisecond)
	})
	t.Logf("%d of them left somebody behind", orphaned.Load())
	if n := orphaned.Load(); n < 3 && !testing.Short() && flag.Lookup("rapid.checks").Value.String() == flag.Lookup("rapid.checks").DefValue {
		t.Errorf("only %d supervisors left anybody behind: this test did not see what it is for", n)
	}
}

// orphan runs the case under a supervisor of its own, which it kills so long after the first member was born.
func (c *trial) orphan(after time.Duration) []string {
	text, err := json.Marshal(supervised{c.plan, c.member, c.mark, c.log})
	noError(c.t, err)
	path := c.log + ".json"
	noError(c.t, os.WriteFile(path, text, 0o600))
	supervisor := exec.Command(os.Args[0])
	supervisor.Env = append(os.Environ(), supervisorVariable+"="+path, raceVariable)
	supervisor.Stderr = os.Stderr
	noError(c.t, supervisor.Start())
	gone := make(chan error, 1)
	go func() { gone <- supervisor.Wait() }()
	over := false // by itself: all were stopped by plan before anybody could write down that it was born
	c.await("the first is born, or the supervisor has ended", func() bool {
		over = len(gone) > 0
		return over || len(c.history()) > 0
	})
	if !over {
		time.Sleep(after)
	}
	_ = supervisor.Process.Kill()
	if err := <-gone; err != nil && supervisor.ProcessState.ExitCode() >= 0 { // by itself
		c.wrongf("the supervisor ended: %v", err)
	}
	if len(c.members(-1)) > 0 {
		c.orphaned.Add(1)
	}

	// The kernel kills the main processes with their parent. Others end by themselves, or not.
	var left []living
	var found []Relative
	c.await("the main processes are gone, and the others are what Leftovers finds", func() bool {
		left = c.members(-1)
		if slices.ContainsFunc(left, func(l living) bool { return l.id == 0 && l.pid == l.main }) {
			return false
		}
		left = slices.DeleteFunc(left, func(l living) bool { return c.plan.Families[l.family].Nodes[max(l.id, 0)].Bare })
		time.Sleep(20 * time.Millisecond) // a look at all processes costs
		found, err = Leftovers(c.mark)
		noError(c.t, err)
		same := len(found) == len(left)
		for _, l := range left {
			same = same && slices.ContainsFunc(found, func(r Relative) bool { return r.PID == l.pid })
		}
		return same
	})
	if len(c.wrong) > 0 {
		c.wrongf("alive: %+v, found: %+v", left, found)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		c.await("only who does not hear is left", func() bool {
			time.Sleep(20 * time.Millisecond)
			return ctx.Err() != nil || !c.anyHears()
		})
	}()
	began := time.Now()
	ended, err := EndLeftovers(ctx, c.mark)
	cancel()
	if err != nil {
		c.wrongf("EndLeftovers: %v", err)
	}
	h := c.history()
	for _, r := range ended {
		born := h.find(r.PID, "born")
		if born == nil || born.at.After(began) { // its parent may have made it when everybody had been told
			continue
		}
		hears := c.plan.Families[born.family].Nodes[born.id].Told != "ignores"
		told, byItself := h.find(r.PID, "told") != nil, h.find(r.PID, "ends") != nil || h.find(r.PID, "dies") != nil
		dies := c.plan.Families[born.family].Nodes[born.id].Told == "dies"
		switch {
		case r.OutOfReach, r.Killed && hears && !told && !byItself, !r.Killed && !hears && !byItself, !r.Killed && !dies && hears && !told && !byItself:
			c.wrongf("ended as %+v, told %t, by itself %t, member %d", r, told, byItself, born.id)
		}
	}
	for _, l := range c.members(-1) {
		if !c.plan.Families[l.family].Nodes[max(l.id, 0)].Bare {
			c.wrongf("left behind by EndLeftovers: %+v", l)
		}
	}
	c.await("who cannot be found is gone", func() bool {
		list := c.members(-1)
		for _, l := range list {
			c.signal(l, syscall.SIGKILL)
		}
		return len(list) == 0
	})
	if len(c.wrong) == 0 {
		return nil
	}
	log, _ := os.ReadFile(c.log)
	return append(c.wrong, c.plan.String(), fmt.Sprintf("killed %v after the first birth", after), "log:\n"+string(log), fmt.Sprintf("ended: %+v", ended))
}

// anyHears reports whether somebody is alive who hears of a stop, or is to hear of it yet.
func (c *trial) anyHears() bool {
	h := c.history()
	return slices.ContainsFunc(c.members(-1), func(l living) bool {
		n := c.plan.Families[l.family].Nodes[max(l.id, 0)]
		return !n.Bare && n.Told != "ignores" && (n.Told != "notes" || h.find(l.pid, "told") == nil)
	})
}

// TestFamiliesAtRandomInNamespace is TestFamiliesAtRandom with the supervisor as PID 1, as in a container.
func TestFamiliesAtRandomInNamespace(t *testing.T) {
	if os.Getpid() == 1 {
		t.Skip("this is the namespace")
	}
	inNamespace(t, "^TestFamiliesAtRandom$", fmt.Sprintf("-rapid.checks=%d", testset.Of(t, 10, 200)))
}

// TestFamiliesInNamespace is the tests of families that have a name, with the supervisor as PID 1.
func TestFamiliesInNamespace(t *testing.T) {
	if os.Getpid() == 1 {
		t.Skip("this is the namespace")
	}
	inNamespace(t, "^TestFamily|^TestFamilies|^TestOrphans|^TestMainPID", "-test.skip=AtRandom|InNamespace")
}

// inNamespace runs tests of this program as PID 1 of a namespace.
func inNamespace(t *testing.T, tests string, args ...string) {
	t.Helper()
	program, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip(err)
	}
	namespaces := []string{"--pid", "--fork", "--mount-proc", "--kill-child"}
	if os.Getuid() != 0 {
		namespaces = append(namespaces, "--user", "--map-root-user")
	}
	if out, err := exec.Command(program, append(slices.Clone(namespaces), "true")...).CombinedOutput(); err != nil {
		t.Skipf("no PID namespace here: %v: %s", err, out)
	}
	cmd := exec.Command(program, append(append(namespaces, os.Args[0], "-test.run="+tests, "-test.v"), args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("as PID 1: %v\n%s", err, out)
	}
}
