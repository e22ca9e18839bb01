//go:build unix

package lastcall

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

var (
	stopSignals   = []os.Signal{syscall.SIGTERM, os.Interrupt}
	reloadSignals = []os.Signal{syscall.SIGHUP}
	errorSignals  = []os.Signal{syscall.SIGPIPE}
)

var signalNames = map[string]os.Signal{
	"SIGTERM": syscall.SIGTERM,
	"SIGINT":  syscall.SIGINT,
	"SIGHUP":  syscall.SIGHUP,
	"SIGQUIT": syscall.SIGQUIT,
	"SIGUSR1": syscall.SIGUSR1,
	"SIGUSR2": syscall.SIGUSR2,
	"SIGKILL": syscall.SIGKILL,
}

// openTerminal opens the controlling terminal and closes it again; the error is why that cannot be.
func openTerminal() error {
	fd, err := syscall.Open("/dev/tty", syscall.O_RDONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return syscall.Close(fd)
}

// hungUp tells from the error of openTerminal that the terminal has gone: there is none, or the one that there was is dead.
func hungUp(err error) bool { return errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.EIO) }

func signalNumber(sig os.Signal) int {
	if s, ok := sig.(syscall.Signal); ok {
		return int(s)
	}
	return 1
}

// dieOf ends the process by the signal's default action, so that whoever waits for it sees the truth. It returns only
// where that cannot be: the kernel drops a signal to PID 1 that has no handler (pid_namespaces(7)).
func dieOf(sig os.Signal) {
	s, ok := sig.(syscall.Signal)
	if !ok || os.Getpid() == 1 {
		return
	}
	signal.Reset(s)
	if syscall.Kill(os.Getpid(), s) == nil {
		time.Sleep(time.Second) // the signal may be handled by another thread
	}
}
