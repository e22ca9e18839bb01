// Package listenfds reads what a service manager says of the sockets that it passes, by the protocol of sd_listen_fds(3):
// LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES.
package listenfds

import (
	"strconv"
	"strings"
)

// First is the first descriptor that is passed.
const First = 3

// most is more sockets than a process can have: a larger number is not meant.
const most = 1 << 16

// Names are what the sockets that were passed to the process pid are called, in the order of their descriptors from [First]
// on; "" is one without a name. There are none if nothing was passed, or if it was for another process.
func Names(getenv func(string) string, pid int) []string {
	n, err := strconv.ParseUint(getenv("LISTEN_FDS"), 10, 32)
	if err != nil || n == 0 || n > most || getenv("LISTEN_PID") != strconv.Itoa(pid) {
		return nil
	}
	names := make([]string, n)
	if list := getenv("LISTEN_FDNAMES"); list != "" {
		copy(names, strings.SplitN(list, ":", len(names)+1))
	}
	return names
}
