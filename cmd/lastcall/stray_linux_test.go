package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// strayScript is a shell that leaves behind an orphan without group, session, ancestry and environment of its own, which writes
// its number into a file; trap is what it does with SIGTERM.
func strayScript(file, trap string) string {
	return fmt.Sprintf(`setsid env -i /bin/sh -c '(trap "%s" TERM; sh -c "echo \$PPID" >%s; while :; do sleep 1; done) >/dev/null 2>&1 & exit 0'
while [ ! -s %[2]s ]; do sleep 0.01; done; echo left $(cat %[2]s); exec sleep 1000`, trap, file)
}

// An orphan that left its session and cleared its environment is stopped, and named where it has to be killed.
func TestStrays(t *testing.T) {
	for _, c := range []struct {
		name, trap, grace string
		status            int
		says              []string
	}{
		{"run", "exit", "20s", 143, nil},
		{"up", "exit", "20s", 0, []string{"all well"}},
		{"up", "", "1s", 4, []string{"which left the session and cleared its environment, killed"}},
	} {
		t.Run(c.name+" "+c.trap, func(t *testing.T) {
			dir := t.TempDir()
			pidFile := filepath.Join(dir, "pid")
			cmd := command("lastcall", "run", "--grace", c.grace, "--", "/bin/sh", "-c", strayScript(pidFile, c.trap))
			if c.name == "up" {
				file, script := filepath.Join(dir, "lastcall.yaml"), filepath.Join(dir, "web.sh")
				if err := os.WriteFile(script, []byte(strayScript(pidFile, c.trap)), 0o600); err != nil {
					t.Fatal(err)
				}
				text := fmt.Sprintf("grace: %s\nsocket: %s\nprocesses:\n  web: { command: [/bin/sh, %q] }\n  db: { command: [sleep, 1000] }\n", c.grace, filepath.Join(dir, "s"), script)
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd = command("lastcall", "up", "-f", file)
			}
			s := start(t, cmd)
			s.await("left ")
			pid := 0
			text, _ := os.ReadFile(pidFile)
			fmt.Sscan(string(text), &pid)
			t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
			s.signal(syscall.SIGTERM)
			if status, _ := s.end(); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			if pid == 0 || isAlive(pid) {
				t.Errorf("the orphan %d lives on", pid)
			}
			for _, text := range c.says {
				if !strings.Contains(s.output(), text) {
					t.Errorf("it does not say %q:\n%s", text, s.output())
				}
			}
			if t.Failed() {
				t.Log(s.output())
			}
		})
	}
}

// isAlive reports whether there is such a process and it has not ended: init may take its time to reap it.
func isAlive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}
