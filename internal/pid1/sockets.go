//go:build unix

package pid1

import (
	"os"
	"syscall"

	"github.com/lastcall-go/lastcall/internal/listenfds"
	"github.com/lastcall-go/lastcall/process"
)

// inheritedSockets are those that a supervisor passed to this process, which are the program's: LISTEN_PID must have its number
// then (sd_listen_fds(3)).
func inheritedSockets() (list []process.Socket) {
	for i, name := range listenfds.Names(os.Getenv, os.Getpid()) {
		s := process.Socket{Name: name, File: os.NewFile(uintptr(listenfds.First+i), "socket")}
		if s.File == nil {
			return list
		}
		syscall.CloseOnExec(listenfds.First + i)
		list = append(list, s)
	}
	return list
}
