//go:build unix

package process

import (
	"strconv"
	"strings"
	"time"
)

// A note is what a child says of itself in one datagram of the protocol of sd_notify(3). What it does not say is zero.
type note struct {
	ready, reloading, stopping bool
	status                     *string
	mainPID                    int
	extend                     time.Duration // EXTEND_TIMEOUT_USEC
	beat, trigger              bool          // WATCHDOG=1, WATCHDOG=trigger
	watchdog                   time.Duration // WATCHDOG_USEC
}

// parseNote reads lines of NAME=value, and skips what it does not know.
func parseNote(text string) (n note) {
	usec := func(value string) time.Duration {
		us, err := strconv.ParseInt(value, 10, 64)
		if err != nil || us < 0 || us > int64(time.Duration(1<<63-1)/time.Microsecond) {
			return 0
		}
		return time.Duration(us) * time.Microsecond
	}
	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(line, "=")
		switch name {
		case "READY":
			n.ready = n.ready || value == "1"
		case "RELOADING":
			n.reloading = n.reloading || value == "1"
		case "STOPPING":
			n.stopping = n.stopping || value == "1"
		case "STATUS":
			n.status = &value
		case "MAINPID":
			if pid, err := strconv.Atoi(value); err == nil && pid > 1 {
				n.mainPID = pid
			}
		case "EXTEND_TIMEOUT_USEC":
			n.extend = usec(value)
		case "WATCHDOG":
			n.beat = n.beat || value == "1"
			n.trigger = n.trigger || value == "trigger"
		case "WATCHDOG_USEC":
			n.watchdog = usec(value)
		}
	}
	return n
}

// coalesce leaves out what a later note replaces: all statuses but the last, and all main processes but the last. Everything else
// stays, in order.
func coalesce(list []note) []note {
	status, main := false, false
	for i := len(list) - 1; i >= 0; i-- {
		n := &list[i]
		if n.status != nil && status {
			n.status = nil
		}
		if n.mainPID != 0 && main {
			n.mainPID = 0
		}
		status, main = status || n.status != nil, main || n.mainPID != 0
	}
	return list
}
