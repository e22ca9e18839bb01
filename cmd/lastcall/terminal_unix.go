//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// size is that of the terminal f, 0 if f is none. One that does not know its size, as on a serial line, has 80 columns and 24 rows.
func size(f *os.File) (columns, rows int) {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, 0
	}
	var s *unix.Winsize
	failed := conn.Control(func(fd uintptr) { s, err = unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ) })
	switch {
	case failed != nil || err != nil:
		return 0, 0
	case s.Col == 0 || s.Row == 0:
		return 80, 24
	}
	return int(s.Col), int(s.Row)
}
