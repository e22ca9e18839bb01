//go:build !(darwin || freebsd || linux || netbsd || openbsd)

package control

import "os"

func acquire(string) (*os.File, error) { return nil, errNotSupported }
