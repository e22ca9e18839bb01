package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The watchdog of the service manager is the program's under lastcall run, and the manager is its judge, not lastcall.
func TestRunPassesTheWatchdogOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	newServiceManager(t, path)
	cmd := command("lastcall", "run", "--", "sh", "-c", `echo "watchdog <$WATCHDOG_USEC$WATCHDOG_PID>"; sleep 0.5; echo alive`)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=50000")
	out, err := cmd.Output()
	if text := string(out); err != nil || !strings.Contains(text, "watchdog <50000>\n") || !strings.Contains(text, "alive\n") {
		t.Errorf("it ended with %v and wrote %q", err, out)
	}
}
