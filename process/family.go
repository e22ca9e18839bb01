//go:build unix

package process

import "crypto/rand"

// Adopt makes this process the new parent of its descendants' orphans, where the system can (Linux and FreeBSD), and has
// those that end reaped; it reports whether it could. PID 1 is that in any case, and needs it for the reaping. Starting a
// [Process] whose stop reaches further than the main process does the same. It cannot be undone.
func Adopt() bool { return adopt() }

// A family is a main process and all its descendants. They are known by their ancestry, and those that lost theirs, because
// the process between has ended, by the first of these that tells:
//
//   - the mark: every family has a random id in the environment (LASTCALL_FAMILY), which descendants inherit
//   - the process group or the session, which is the main process's or that of another member
//   - having been seen as a member at the soft stop or since
//
// A family in a family has the marks of both, with a colon between.
type family struct {
	id    string
	main  int            // the main process
	mains []int          // it, and who was it before, until they are reaped
	seen  map[int]uint64 // members at the soft stop and since: when they started, by number
}

func newFamily() *family { return &family{id: rand.Text()[:16]} }

// kin is a descendant that is alive. One with pid 0 stands for a whole group whose members the system does not tell.
type kin struct {
	pid, pgid, sid int
	start          uint64 // tells apart processes that have the same number, one after another
	name           string
}
