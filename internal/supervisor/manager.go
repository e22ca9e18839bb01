//go:build unix

package supervisor

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/text"
)

// manager is the service manager that started this process, where there is one that wants to be told how it is, with the
// protocol of sd_notify(3): systemd, or another lastcall. A nil manager is told nothing.
type manager struct {
	conn *net.UnixConn
	end  chan struct{} // ends the beats; nil without a watchdog
}

// newManager finds it by NOTIFY_SOCKET, and begins to send beats if it wants them.
func newManager() *manager {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" || name[0] != '/' && name[0] != '@' {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil
	}
	m := &manager{conn: conn}
	if every := beats(); every > 0 {
		m.end = make(chan struct{})
		go m.beat(every)
	}
	return m
}

// beats is how often the manager wants to hear WATCHDOG=1, at twice the pace that it asks for; 0 is never.
func beats() time.Duration {
	usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	pid := os.Getenv("WATCHDOG_PID")
	if err != nil || usec <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return time.Duration(usec) * time.Microsecond / 2
}

func (m *manager) beat(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-m.end:
			return
		case <-ticker.C:
			m.send("WATCHDOG=1")
		}
	}
}

// send sends assignments. That they do not arrive changes nothing here.
func (m *manager) send(lines ...string) {
	if m != nil {
		for i := range lines { // the words of others add no assignment of their own
			lines[i] = text.Sentence(lines[i])
		}
		_, _ = m.conn.Write([]byte(strings.Join(lines, "\n")))
	}
}

// isReady tells that the start is over, and in which state.
func (m *manager) isReady(status string) {
	m.send("READY=1", fmt.Sprintf("MAINPID=%d", os.Getpid()), "STATUS="+status)
}

// stops tells that the stop has begun and how long it may last.
func (m *manager) stops(grace time.Duration, why string) {
	m.send("STOPPING=1", fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", (grace+lastcall.DefaultHardStop+time.Second).Microseconds()), "STATUS=stopping: "+why)
}

// reloads tells that a reload has begun, and returns what tells that it has ended.
func (m *manager) reloads() (ended func(status string)) {
	m.send("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", monotonic().Microseconds()), "STATUS=reading the file again")
	return func(status string) { m.send("READY=1", "STATUS="+status) }
}

// close ends the beats.
func (m *manager) close() {
	if m == nil {
		return
	}
	if m.end != nil {
		close(m.end)
	}
	m.conn.Close()
}
