//go:build !unix

package safefile

import "os"

func openToRead(path string) (*os.File, error) { return os.Open(path) }
