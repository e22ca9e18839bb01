//go:build !unix

package control

// maxPath is as on systems that have the socket.
const maxPath = 107

func isOwn(string) error     { return errNotSupported }
func isPrivate(string) error { return errNotSupported }
func writable(string) bool   { return false }
