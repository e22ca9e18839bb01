package safefile

import "golang.org/x/sys/unix"

// openDir opens a directory only to walk through it: no right to list it is needed.
const openDir = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// readLink returns the target of a link, and what the link is, both of the same one even if another takes its place.
func readLink(dir int, name string) (string, unix.Stat_t, error) {
	var st unix.Stat_t
	fd, err := openAt(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", st, err
	}
	defer unix.Close(fd)
	if err := unix.Fstat(fd, &st); err != nil {
		return "", st, err
	}
	target, err := readLinkAt(fd, "")
	return target, st, err
}
