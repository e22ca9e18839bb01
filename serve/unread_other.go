//go:build !unix

package serve

import "net"

// unread does not know on this system.
func unread(net.Conn) (n int, known bool) { return 0, false }
