//go:build unix

package allsignals

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// DieOf ends the process by the default action of sig, without a core dump of its own. It returns if that action is to do nothing.
func DieOf(sig syscall.Signal) {
	none := unix.Rlimit{}
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &none)
	ByDefault(sig, func() {
		_ = syscall.Kill(os.Getpid(), sig)
		time.Sleep(time.Second) // it is on its way; one whose default is to do nothing never comes
	})
}
