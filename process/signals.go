//go:build unix

package process

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ParseSignal reads the name of a signal, in any case and with or without SIG, or its number: TERM, SIGTERM, 15,
// SIGRTMIN+3, RTMAX-1.
func ParseSignal(text string) (syscall.Signal, error) {
	first, last := realTime()
	if number, err := strconv.Atoi(text); err == nil {
		s := syscall.Signal(number)
		if unix.SignalName(s) == "" && (s < first || s > last || last == 0) {
			return 0, fmt.Errorf("no signal has the number %d", number)
		}
		return s, nil
	}
	name := "SIG" + strings.TrimPrefix(strings.ToUpper(text), "SIG")
	if s := unix.SignalNum(name); s != 0 {
		return s, nil
	}
	base, offset := first, 0
	rest, ok := strings.CutPrefix(name, "SIGRTMIN")
	if !ok {
		base = last
		rest, ok = strings.CutPrefix(name, "SIGRTMAX")
	}
	if ok && last != 0 && rest != "" {
		var err error
		if offset, err = strconv.Atoi(rest); err != nil || rest[0] != '+' && rest[0] != '-' {
			ok = false
		}
	}
	if s := base + syscall.Signal(offset); ok && last != 0 && s >= first && s <= last {
		return s, nil
	}
	return 0, fmt.Errorf("there is no signal %q", text)
}

// SignalName is SIGTERM rather than "terminated". ParseSignal reads it.
func SignalName(s syscall.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	switch first, last := realTime(); {
	case last == 0 || s < first || s > last:
		return fmt.Sprintf("signal %d", int(s))
	case s == first:
		return "SIGRTMIN"
	default:
		return fmt.Sprintf("SIGRTMIN+%d", s-first)
	}
}

// realTime is the first and the last real-time signal as programs see them, 0 where there are none. The C libraries of
// Linux keep 32 and 33 for themselves.
func realTime() (first, last syscall.Signal) {
	switch runtime.GOOS {
	case "linux", "android":
		return 34, 64
	case "freebsd", "dragonfly":
		return 65, 126
	case "netbsd":
		return 33, 63
	}
	return 0, 0
}
