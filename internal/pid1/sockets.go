//go:build unix

package pid1

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall/process"
)

// inheritedSockets are those that a supervisor passed to this process, which are the program's: LISTEN_PID must have its number
// then (sd_listen_fds(3)).
func inheritedSockets() (list []process.Socket) {
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil
	}
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	for i := range n {
		s := process.Socket{File: os.NewFile(uintptr(3+i), "socket")}
		if s.File == nil {
			return list
		}
		syscall.CloseOnExec(3 + i)
		if i < len(names) {
			s.Name = names[i]
		}
		list = append(list, s)
	}
	return list
}
