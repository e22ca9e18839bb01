//go:build unix

package check

import (
	"crypto/rand"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// notes is a NOTIFY_SOCKET, see sd_notify(3).
type notes struct {
	conn  *net.UnixConn
	name  string
	dir   string        // that was made for it
	ready chan struct{} // closed when READY=1 came
}

func listenForNotes() (*notes, error) {
	n := &notes{ready: make(chan struct{})}
	if runtime.GOOS == "linux" {
		n.name = "@lastcall-check-" + rand.Text()
	} else {
		dir, err := os.MkdirTemp("", "lastcall-check-")
		if err != nil {
			return nil, err
		}
		n.dir, n.name = dir, filepath.Join(dir, "notify")
	}
	var err error
	if n.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: n.name}); err != nil {
		return nil, err
	}
	go func() {
		buf := make([]byte, 8<<10)
		said := false
		for {
			count, err := n.conn.Read(buf)
			if err != nil {
				return
			}
			if !said && slices.Contains(strings.Split(string(buf[:count]), "\n"), "READY=1") {
				said = true
				close(n.ready)
			}
		}
	}()
	return n, nil
}

func (n *notes) close() {
	if n == nil {
		return
	}
	n.conn.Close()
	if n.dir != "" {
		os.RemoveAll(n.dir)
	}
}
