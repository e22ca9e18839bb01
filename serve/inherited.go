package serve

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/lastcall-go/lastcall/internal/listenfds"
)

// firstInherited is the file descriptor of the first inherited socket, by the protocol.
const firstInherited = 3

// inherited marks a listener that another process holds too.
type inherited struct {
	net.Listener
	file *os.File
}

// again returns another copy, for the start of a server, which closes its copy at the stop.
func (l *inherited) again() (net.Listener, error) { return net.FileListener(l.file) }

// neverCloseThese keeps the inherited descriptors open for later calls: the garbage collector closes an os.File.
var neverCloseThese struct {
	sync.Mutex
	files map[int]*os.File
}

// Inherited returns the listening socket with that name that a supervisor holds and has passed on, by the protocol of
// systemd's socket units, which `lastcall up` uses too: LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES. The name "" stands for
// the first socket. The only socket passed, if it has no name, matches any name.
//
// If no socket was passed to this process, Inherited returns nil and no error, so that
//
//	ln, err := serve.Inherited("web")
//	...
//	group.Add("web", serve.HTTP(srv, ln))
//
// listens on srv.Addr itself when no supervisor holds the socket. Each call returns a new copy.
func Inherited(name string) (net.Listener, error) {
	return inheritedFrom(os.Getenv, firstInherited, name)
}

func inheritedFrom(getenv func(string) string, first int, name string) (net.Listener, error) {
	names := listenfds.Names(getenv, os.Getpid())
	if names == nil {
		return nil, nil
	}
	named := slices.ContainsFunc(names, func(name string) bool { return name != "" })
	i := 0
	switch {
	case name == "" || !named && len(names) == 1:
	case !named:
		return nil, fmt.Errorf("serve: socket %q: %d sockets were passed, without names", name, len(names))
	default:
		if i = slices.Index(names, name); i < 0 {
			return nil, fmt.Errorf("serve: socket %q was not passed, only %s", name, strings.Join(names, ", "))
		}
	}

	neverCloseThese.Lock()
	defer neverCloseThese.Unlock()
	fd := first + i
	file := neverCloseThese.files[fd]
	if file == nil {
		if file = os.NewFile(uintptr(fd), name); file == nil {
			return nil, fmt.Errorf("serve: socket %q: file descriptor %d is not open", name, fd)
		}
		closeOnExec(fd)
		if neverCloseThese.files == nil {
			neverCloseThese.files = make(map[int]*os.File)
		}
		neverCloseThese.files[fd] = file
	}
	ln, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("serve: socket %q: file descriptor %d: %w", name, fd, err)
	}
	return &inherited{ln, file}, nil
}
