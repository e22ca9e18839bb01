//go:build unix

package process

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// LISTEN_PID must hold the child's own number, see sd_listen_fds(3), and a number is known only after the fork, when Go lets
// nobody run. So a child with sockets is first this program once more, which sets the variable and becomes the
// child's program. It holds a descriptor that closes when that succeeds, and takes the error if it does not.
//
// trampolineVariable has the descriptor, a colon, and the path of the program; its arguments are in place.
const trampolineVariable = "LASTCALL_TRAMPOLINE"

// init is the second life of this program. It comes before main and before the init functions of everything that imports
// this package. It does nothing with privileges that whoever set the variable did not have.
func init() {
	text, ok := os.LookupEnv(trampolineVariable)
	if !ok || os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() {
		return
	}
	number, path, ok := strings.Cut(text, ":")
	fd, err := strconv.Atoi(number)
	if !ok || err != nil || fd < 3 {
		return
	}
	syscall.CloseOnExec(fd)
	os.Unsetenv(trampolineVariable)
	os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	err = syscall.Exec(path, os.Args, os.Environ())
	var errno syscall.Errno
	errors.As(err, &errno)
	_, _ = os.NewFile(uintptr(fd), "status").WriteString(strconv.Itoa(int(errno)))
	os.Exit(127)
}

// trampolineWithin is far more than the second life lasts, unless something that is initialised before this package blocks.
const trampolineWithin = 10 * time.Second

// forkVia is fork by way of the trampoline.
func forkVia(path string, argv []string, attr *syscall.ProcAttr, outlive bool) (*handle, error) {
	self, err := executable()
	if err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	defer write.Close()
	attr.Files = append(attr.Files, write.Fd())
	attr.Env = append(attr.Env, trampolineVariable+"="+strconv.Itoa(len(attr.Files)-1)+":"+path)
	h, err := fork(self, argv, attr, outlive)
	if err != nil {
		return nil, err
	}
	write.Close()
	read.SetReadDeadline(time.Now().Add(trampolineWithin))
	text, err := io.ReadAll(read)
	if err == nil && len(text) == 0 {
		return h, nil // the program runs, or was killed from outside before it did
	}
	_ = h.signal(syscall.SIGKILL)
	_, _ = waitFor(h.pid, 0)
	h.close()
	if errno, bad := strconv.Atoi(string(text)); err == nil && bad == nil {
		err = syscall.Errno(errno)
	}
	return nil, err
}
