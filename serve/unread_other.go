//go:build !unix

package serve

import "net"

// unread cannot know here.
func unread(net.Conn) (n int, known bool) { return 0, false }
