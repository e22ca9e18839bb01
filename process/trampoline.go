//go:build unix

package process

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// LISTEN_PID must hold the child's own number, see sd_listen_fds(3), and limits must hold before the child's program runs: both
// need somebody between fork and exec, when Go lets nobody run. So such a child is first this program once more, which
// does the steps and becomes the child's program. It holds a descriptor that closes when that succeeds, and takes the
// error if it does not.
//
// trampolineVariable has the descriptor, the steps, and the path of the program, with colons between; its arguments are in
// place.
const trampolineVariable = "LASTCALL_TRAMPOLINE"

// init is the second life of this program. It comes before main and before the init functions of everything that imports
// this package. It does nothing with privileges that whoever set the variable did not have.
func init() {
	text, ok := os.LookupEnv(trampolineVariable)
	if !ok || os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() {
		return
	}
	parts := strings.SplitN(text, ":", 3)
	if len(parts) < 3 {
		return
	}
	fd, err := strconv.Atoi(parts[0])
	if err != nil || fd < 3 {
		return
	}
	steps, err := decodeSteps(parts[1])
	if err != nil {
		return
	}
	syscall.CloseOnExec(fd)
	os.Unsetenv(trampolineVariable)
	name := ""
	for _, s := range steps {
		if err = s.do(); err != nil {
			name = s.name
			break
		}
	}
	if err == nil {
		err = syscall.Exec(parts[2], os.Args, os.Environ())
	}
	errno := syscall.ENOTSUP
	errors.As(err, &errno)
	_, _ = os.NewFile(uintptr(fd), "status").WriteString(name + ":" + strconv.Itoa(int(errno)))
	os.Exit(127)
}

// trampolineWithin is far more than the second life lasts, unless something that is initialised before this package blocks.
const trampolineWithin = 10 * time.Second

// forkVia is fork by way of the trampoline, in a slot. It does not wait beyond the end of ctx; whether the program runs is not
// known then.
func forkVia(ctx context.Context, steps []step, path string, argv []string, attr *syscall.ProcAttr, outlive bool) (*handle, error) {
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
	attr.Env = append(attr.Env, trampolineVariable+"="+strconv.Itoa(len(attr.Files)-1)+":"+encodeSteps(steps)+":"+path)
	h, err := fork(self, argv, attr, outlive)
	if err != nil {
		return nil, err
	}
	write.Close()
	read.SetReadDeadline(time.Now().Add(trampolineWithin))
	var text []byte
	outside(func() {
		defer context.AfterFunc(ctx, func() { read.SetReadDeadline(time.Unix(1, 0)) })()
		text, err = io.ReadAll(read)
	})
	if len(text) == 0 && (err == nil || ctx.Err() != nil) {
		return h, nil // the program runs, or was killed from outside before it did
	}
	_ = h.signal(syscall.SIGKILL)
	_, _ = waitFor(h.pid, 0)
	h.close()
	if err == nil || len(text) > 0 {
		err = stepError(string(text))
	}
	return nil, err
}
