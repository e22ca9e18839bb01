//go:build darwin || freebsd || netbsd || openbsd

package safefile

import "golang.org/x/sys/unix"

// openDir opens a directory only to walk through it, where the system has a mode for that.
const openDir = searchOnly | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// readLink returns the target of a link, and what the link is. It looks before and after, and a link that another took the
// place of meanwhile is an error.
func readLink(dir int, name string) (string, unix.Stat_t, error) {
	var before, after unix.Stat_t
	if err := statAt(dir, name, &before); err != nil {
		return "", before, err
	}
	target, err := readLinkAt(dir, name)
	if err == nil {
		err = statAt(dir, name, &after)
	}
	if err == nil && (before.Dev != after.Dev || before.Ino != after.Ino || before.Ctim != after.Ctim) {
		err = errChanged
	}
	return target, after, err
}
