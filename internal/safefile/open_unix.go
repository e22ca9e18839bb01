//go:build unix

package safefile

import (
	"os"
	"syscall"
)

// openToRead opens without waiting for anything: O_NONBLOCK for a FIFO, O_NOCTTY for a terminal.
func openToRead(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
}
