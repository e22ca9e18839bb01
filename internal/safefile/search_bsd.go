//go:build freebsd || darwin

package safefile

import "golang.org/x/sys/unix"

const searchOnly = unix.O_SEARCH
