package process

import (
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A process that leaves the group after it was seen there, and before the group is told, is told as well.
func TestWhatLeavesTheGroupIsTold(t *testing.T) {
	start := func(pgid int) *exec.Cmd {
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: pgid, Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		return cmd
	}
	leader, left := start(0), start(0)
	member := start(leader.Process.Pid)
	c := &child{p: &Process{}, pgid: leader.Process.Pid, family: here.newFamily(KillFamily)}
	c.stop.soft = syscall.SIGTERM
	var met []*relative
	for i, cmd := range []*exec.Cmd{left, leader, member} {
		k, ok := statOf(cmd.Process.Pid)
		if !ok {
			t.Fatalf("process %d is not to be seen", i)
		}
		k.pgid = c.pgid // as it was seen
		met = append(met, &relative{descendant: k.descendant, report: i})
		c.stop.found = append(c.stop.found, c.found(k.descendant))
	}
	groupTold := false
	c.tell(met, false, &groupTold)
	for i, cmd := range []*exec.Cmd{left, leader, member} {
		late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		late.Stop()
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
			t.Errorf("process %d ended within a minute with %v, and not of SIGTERM", i, err)
		}
	}
}
