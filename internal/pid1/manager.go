//go:build unix

package pid1

import (
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// manager is the service manager around this process, which it tells how the program is (sd_notify(3)). A nil manager is told
// nothing.
type manager struct{ conn *net.UnixConn }

func newManager() *manager {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" || name[0] != '/' && name[0] != '@' {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil
	}
	return &manager{conn}
}

// watchdog is how often at least the manager wants to hear WATCHDOG=1; 0 is never.
func (m *manager) watchdog() time.Duration {
	usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	pid := os.Getenv("WATCHDOG_PID")
	if m == nil || err != nil || usec <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return time.Duration(usec) * time.Microsecond
}

// pass hands on what the program says. Its main process is this one for the manager, whatever the program says.
func (m *manager) pass(text string) {
	if m == nil {
		return
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "MAINPID=") {
			lines[i] = "MAINPID=" + strconv.Itoa(os.Getpid())
		}
	}
	_, _ = m.conn.Write([]byte(strings.Join(lines, "\n")))
}

func (m *manager) close() {
	if m != nil {
		m.conn.Close()
	}
}
