package safefile

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canAct reports whether this system lets one thread act for another user.
const canAct = true

// as calls fn with the rights of a user for files: the ids of one thread, which has them back afterwards. It ends no thread,
// since that would end children that were started from it.
func as(r *Rights, fn func() error) error {
	if r == nil {
		return fn()
	}
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		before, err := unix.Getgroups()
		if err == nil {
			err = setGroups(r.Groups)
		}
		if err == nil {
			_, _ = unix.SetfsgidRetGid(int(r.GID))
			_, _ = unix.SetfsuidRetUid(int(r.UID)) // the last: it takes the right to the others
			err = ids(int(r.UID), int(r.GID))
		}
		if err == nil {
			err = fn()
		}
		_, _ = unix.SetfsuidRetUid(os.Geteuid())
		_, _ = unix.SetfsgidRetGid(os.Getegid())
		groups := make([]uint32, len(before))
		for i, gid := range before {
			groups[i] = uint32(gid)
		}
		back := setGroups(groups)
		result <- err
		if back != nil || ids(os.Geteuid(), os.Getegid()) != nil {
			select {} // nobody may have this thread
		}
		runtime.UnlockOSThread()
	}()
	return <-result
}

// ids says whether the thread has these ids for files.
func ids(uid, gid int) error {
	u, _ := unix.SetfsuidRetUid(-1) // which only tells
	g, _ := unix.SetfsgidRetGid(-1)
	if u != uid || g != gid {
		return fmt.Errorf("no right to act for user %d: %w", uid, unix.EPERM)
	}
	return nil
}

// setGroups sets the supplementary groups of this thread alone.
func setGroups(groups []uint32) error {
	var first unsafe.Pointer
	if len(groups) > 0 {
		first = unsafe.Pointer(&groups[0])
	}
	if _, _, errno := unix.RawSyscall(sysSetgroups, uintptr(len(groups)), uintptr(first), 0); errno != 0 {
		return errno
	}
	return nil
}
