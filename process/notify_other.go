//go:build unix && !linux

package process

import (
	"crypto/rand"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const credentialsSpace = 0

// longestSocket is how long the path of a socket may be, without the zero byte at its end.
const longestSocket = len(unix.RawSockaddrUnix{}.Path) - 1

// serveNotify makes the socket in a directory of its own that cannot be listed, so that who knows the name was told it.
func serveNotify() (*notifySocket, error) {
	name := rand.Text()[:12]
	dir, err := os.MkdirTemp("", "lastcall-")
	if err == nil && len(filepath.Join(dir, name)) > longestSocket { // as below macOS's /var/folders
		os.Remove(dir)
		dir, err = os.MkdirTemp("/tmp", "lastcall-")
	}
	if err != nil {
		return nil, err
	}
	remove := func() { os.RemoveAll(dir) }
	name = filepath.Join(dir, name)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err == nil {
		err = os.Chmod(name, 0o666)
	}
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		if conn != nil {
			conn.Close()
		}
		remove()
		return nil, err
	}
	s, err := newNotifySocket(conn, name, remove)
	if err != nil {
		conn.Close()
		remove()
	}
	return s, err
}

// admit lets in every sender: it knows the name, which is the secret here. Of these systems not all tell a datagram's sender, and
// none tells it by a number that is certain to be still that process's.
func (s *notifySocket) admit([]byte) error { return nil }
