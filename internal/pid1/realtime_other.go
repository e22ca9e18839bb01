//go:build unix && !(linux && (amd64 || arm64))

package pid1

import (
	"os"
	"syscall"
)

// isRaw reports whether the Go runtime keeps n for itself, so that nobody can catch it here.
func isRaw(n syscall.Signal) bool { return n >= 32 && n <= 34 }

// catchRaw catches none of them: only on Linux on amd64 and arm64 there is a way.
func catchRaw(func(syscall.Signal, chan os.Signal)) {}
