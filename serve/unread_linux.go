package serve

import "golang.org/x/sys/unix"

// fionread asks for the number of unread bytes. Its value depends on the architecture.
const fionread = unix.TIOCINQ
