//go:build unix

package pid1

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyChildren tells ch of changes of children.
func notifyChildren(ch chan os.Signal) { signal.Notify(ch, syscall.SIGCHLD) }

// hasHalted reports, once, that the child has been stopped by a signal, see wait4(2). Its end is left to whoever waits for that.
func hasHalted(pid int) bool {
	var s syscall.WaitStatus
	got, err := waitHalted(pid, &s)
	return err == nil && got == pid && s.Stopped()
}
