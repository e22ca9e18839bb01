//go:build linux && (amd64 || arm64)

package pid1

import (
	"errors"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The Go runtime lets nobody catch 32, 33 and 34: two belong to the C libraries' threads, and the third to musl's. But for
// programs 34 is SIGRTMIN, and the others can be sent as well. So these three have a handler of their own, some instructions that
// write the number into a pipe (realtime_linux_*.s). It runs on the runtime's signal stack, calls nothing of Go, and a
// pipe that is full has the signal already.

// rawPipe is the writing end, for the handler.
var rawPipe int32

func rawHandler() uintptr  // the address of the handler
func rawRestorer() uintptr // the address of what returns from it, 0 where the kernel has its own

// isRaw reports whether only catchRaw can catch n.
func isRaw(n syscall.Signal) bool { return n >= 32 && n <= 34 }

// sigaction is the kernel's struct, see rt_sigaction(2).
type sigaction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

const (
	saOnStack  = 0x08000000
	saRestart  = 0x10000000
	saRestorer = 0x04000000
)

// catchRaw catches those signals. It may be called once.
func catchRaw(add func(syscall.Signal, chan os.Signal)) {
	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC) != nil {
		return
	}
	rawPipe = int32(fds[1])
	read := os.NewFile(uintptr(fds[0]), "signals")
	queues := map[byte]chan os.Signal{}
	for n := syscall.Signal(32); n <= 34; n++ {
		action := sigaction{handler: rawHandler(), flags: saOnStack | saRestart, restorer: rawRestorer(), mask: ^uint64(0)}
		if action.restorer != 0 {
			action.flags |= saRestorer
		}
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(n), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
		if errno == 0 {
			queues[byte(n)] = make(chan os.Signal, 1)
			add(n, queues[byte(n)])
		}
	}
	go func() {
		buf := make([]byte, 16)
		for {
			n, err := read.Read(buf)
			if err != nil && !errors.Is(err, syscall.EINTR) {
				return
			}
			for _, number := range buf[:max(n, 0)] {
				select {
				case queues[number] <- syscall.Signal(number):
				default: // it is pending
				}
			}
		}
	}()
}
