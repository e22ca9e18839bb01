//go:build unix

package process

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// LISTEN_PID must hold the child's own number, see sd_listen_fds(3), and limits must hold before the child's program runs: both
// need code between fork and exec, where Go runs none. So such a child is first this program again, which does the steps and
// becomes the child's program. It does them with the rights of this process, and the change of the user is one of them: what
// root alone may do comes before that, and the file of this program need not be one that the user may read.
//
// trampolineVariable has the number of a socket. From that comes the launch; over it goes the error, if there is one, and it closes
// when the child's program runs. The environment is else that of this process: what the child's program gets, such as LD_PRELOAD, is
// not heeded by this one. The arguments are in place.
const trampolineVariable = "LASTCALL_TRAMPOLINE"

// A launch is what the second life of this program has to do.
type launch struct {
	steps []step
	path  string // of the program
	dir   string // "" is where it is
	env   []string
}

// encode and decodeLaunch carry it through the socket. The length comes first: a launch that was cut short is none.
func (e *launch) encode() string {
	text := strings.Join(append([]string{encodeSteps(e.steps), e.path, e.dir}, e.env...), "\x00")
	return strconv.Itoa(len(text)) + "\x00" + text
}

func decodeLaunch(text string) (*launch, error) {
	length, text, _ := strings.Cut(text, "\x00")
	if n, err := strconv.Atoi(length); err != nil || n != len(text) {
		return nil, errors.New("the launch is not whole")
	}
	parts := strings.Split(text, "\x00")
	if len(parts) < 3 {
		return nil, errors.New("a launch has steps, a program and a directory")
	}
	steps, err := decodeSteps(parts[0])
	return &launch{steps: steps, path: parts[1], dir: parts[2], env: parts[3:]}, err
}

// init is the second life of this program. It comes before main and before the init functions of everything that imports
// this package. It does nothing with privileges that whoever set the variable did not have.
func init() {
	text, ok := os.LookupEnv(trampolineVariable)
	if !ok || os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() {
		return
	}
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 3 {
		return
	}
	socket := os.NewFile(uintptr(fd), "launch")
	order, err := io.ReadAll(socket)
	if errors.Is(err, syscall.EBADF) {
		return
	}
	syscall.CloseOnExec(fd)
	if e, err := decodeLaunch(string(order)); err == nil {
		renounce()
		name, err := e.run(socket)
		errno := syscall.ENOTSUP
		errors.As(err, &errno)
		_, _ = socket.WriteString(name + ":" + strconv.Itoa(int(errno)))
	}
	os.Exit(127) // never on to main, which is not what this was started for
}

// prepared is what the second life says when only the program is left to be run. Without it, it ended before.
const prepared = "."

// run returns the name of the step that failed, "" if the program could not be run, and why.
func (e *launch) run(socket io.Writer) (name string, err error) {
	for _, s := range e.steps {
		if s.name == listenStep { // before the family's mark, which is the last
			e.env = slices.Insert(e.env, max(len(e.env)-1, 0), "LISTEN_PID="+strconv.Itoa(os.Getpid()))
		} else if err := s.do(); err != nil {
			return s.name, err
		}
	}
	if e.dir != "" {
		if err := os.Chdir(e.dir); err != nil {
			return "dir", err
		}
	}
	_, _ = io.WriteString(socket, prepared) // there may be no reader any more: it did not wait beyond a hard stop
	return "", syscall.Exec(e.path, os.Args, e.env)
}

// socketPair makes both ends of a socket. This process waits for ours by the runtime's poller; theirs is the child's.
func socketPair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(ends[0])
		syscall.CloseOnExec(ends[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	theirs = os.NewFile(uintptr(ends[1]), "launch")
	if err = syscall.SetNonblock(ends[0], true); err != nil { // os.NewFile polls what does not block
		theirs.Close()
		syscall.Close(ends[0])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(ends[0]), "launch"), theirs, nil
}

// send writes all there is to say, and says that it is all.
func send(socket *os.File, text string) error {
	if _, err := socket.WriteString(text); err != nil {
		return err
	}
	conn, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	if e := conn.Control(func(fd uintptr) { err = syscall.Shutdown(int(fd), syscall.SHUT_WR) }); e != nil {
		return e
	}
	return err
}

// trampolineWithin is far more than the second life lasts, unless something that is initialised before this package blocks.
const trampolineWithin = 10 * time.Second

// forkVia is fork by way of the trampoline, in a slot. It does not wait beyond the end of ctx; whether the program runs is not
// known then. group, unless nil, is the file by which it joins its control group.
func (c *child) forkVia(ctx context.Context, group *os.File, path string, argv []string, attr *syscall.ProcAttr) (*handle, error) {
	if os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() {
		return nil, errors.New("sockets, limits, umask, priority and rights cannot be set by a set-user-ID program")
	}
	p := c.p
	self, err := executable()
	if err != nil {
		return nil, err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	defer theirs.Close()
	e := launch{path: path, dir: attr.Dir, env: attr.Env}
	attr.Dir = ""
	at := len(attr.Files)
	for p.inherits(uintptr(at)) || group != nil && p.inherits(uintptr(at+1)) {
		at++
	}
	attr.Files = append(p.upTo(attr.Files, at), theirs.Fd())
	join := 0
	if group != nil {
		join = at + 1
		attr.Files = append(attr.Files, group.Fd())
	}
	e.steps = p.preparation(takeUser(attr.Sys), deathSignal(attr.Sys, p.Outlive), join)
	mark := familyVariable + "=" // it is of the family already
	for _, variable := range e.env {
		if strings.HasPrefix(variable, mark) {
			mark = variable
		}
	}
	attr.Env = append(os.Environ(), mark, trampolineVariable+"="+strconv.Itoa(at))
	h, err := c.family.fork(self, argv, attr, p.Outlive)
	if err != nil {
		return nil, err
	}
	theirs.Close()
	ours.SetDeadline(time.Now().Add(trampolineWithin))
	var text []byte
	outside(func() {
		defer context.AfterFunc(ctx, func() { ours.SetDeadline(time.Unix(1, 0)) })()
		if err = send(ours, e.encode()); err == nil {
			text, err = io.ReadAll(ours)
		}
	})
	broken := errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) // it was killed before it heard all
	said, isPrepared := strings.CutPrefix(string(text), prepared)
	if said == "" && (err == nil || broken || ctx.Err() != nil) {
		if isPrepared || ctx.Err() != nil {
			return h, nil // the program runs, or may
		}
		if err = endedEarly(h.pid); err == nil {
			return h, nil // it was killed from outside before it did
		}
	}
	_ = h.signal(syscall.SIGKILL)
	_, _ = h.reap()
	h.close()
	if said != "" {
		err = stepError(said)
	}
	return nil, err
}
