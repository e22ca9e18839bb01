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
//   - the control group, where it has one of its own: see Cgroup
//   - the mark: every family has a random id in the environment (LASTCALL_FAMILY), which descendants inherit
//   - the process group or the session, which is the main process's or that of another member
//   - having been seen as a member at the soft stop or since
//   - that no other family can have it, see Claim
//
// A family in a family has the marks of both, with a colon between.
type family struct {
	id     string
	whole  bool           // its stop reaches every member, see KillFamily
	main   int            // the main process
	mains  []int          // it, and who was it before, until they are reaped
	ending bool           // it is being stopped
	since  uint64         // when the first main process started, once that was asked
	cgroup *cgroup        // of its own; nil if it has none
	seen   map[int]uint64 // members at the soft stop and since: when they started, by number
}

func newFamily(kill Mode) *family {
	f := &family{id: rand.Text()[:16], whole: kill == KillFamily}
	if !f.whole {
		f.id = sparedID + f.id[1:]
	}
	return f
}

// sparedID begins the id of a family whose stop leaves members alone. Other ids are upper case.
const sparedID = "s"

// descendant is a process of the family that is alive. One with pid 0 stands for a whole group whose members the system does not tell.
type descendant struct {
	pid, pgid, sid int
	start          uint64 // tells apart processes that have the same number, one after another
	name           string
	unmarked       bool // nothing but Claim tells whose it is
}
