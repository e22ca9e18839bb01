//go:build !unix

package serve

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// readNow reads what has arrived, waiting a millisecond at most. (0, nil) means that nothing has.
func readNow(nc net.Conn, p []byte) (int, error) {
	nc.SetReadDeadline(time.Now().Add(time.Millisecond))
	defer nc.SetReadDeadline(time.Time{})
	n, err := nc.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	if n == 0 && err == nil {
		return 0, nil
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
