//go:build unix && !linux

package process

import "os"

// executable is this program.
func executable() (string, error) { return os.Executable() }

// endedByItself: the status cannot be looked at without taking it.
func endedByItself(int) bool { return false }
