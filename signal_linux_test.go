package lastcall_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// As PID 1 nothing kills by its default action: a forced end has to be an exit with 128+n.
func TestKernelAsPID1(t *testing.T) {
	start := func(t *testing.T, daemon string) *process {
		cmd := daemonCommand(t, daemon)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
		if os.Getuid() != 0 {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		}
		if probe := *cmd; true { // whether it is permitted
			probe.Env = append(probe.Env, daemonVariable+"=pid")
			out, err := probe.Output()
			if err != nil || strings.TrimSpace(string(out)) != "1" {
				t.Skipf("no new PID namespace here: %v (%q)", err, out)
			}
		}
		return launch(t, cmd)
	}
	t.Run("first signal", func(t *testing.T) {
		p := start(t, "lazy")
		p.await("up")
		p.send(syscall.SIGTERM)
		p.exits(0)
	})
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run("forced by "+sig.String(), func(t *testing.T) {
			p := start(t, "deaf")
			p.await("up")
			p.sendUntil(sig, "cut")
			p.sendUntil(sig, "forced to end by a third")
			p.exits(128 + int(sig))
		})
	}
}

func init() {
	daemons["pid"] = func() {
		say("%d", os.Getpid())
		os.Exit(0)
	}
}
