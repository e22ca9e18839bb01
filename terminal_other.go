//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package lastcall

import "os"

// columns is 0: here is no terminal that is known to rewrite a line.
func columns(*os.File) int { return 0 }
