//go:build netbsd || openbsd

package safefile

import "golang.org/x/sys/unix"

const searchOnly = unix.O_RDONLY // so that directories on the way must be readable
