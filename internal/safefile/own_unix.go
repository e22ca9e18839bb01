//go:build linux || darwin || freebsd || netbsd || openbsd

package safefile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// ReadOwn is Read for a file whose directory may belong to another user: a link of theirs is followed only to what is theirs
// as well, and a file is refused that may be somebody else's under another name.
func ReadOwn(path string, limit int64) ([]byte, error) {
	p, err := find(path, false, nil)
	if err != nil {
		return nil, err
	}
	defer p.close()
	var st unix.Stat_t
	if err := statAt(p.dir, p.name, &st); err != nil {
		return nil, p.fail("open", err)
	}
	if err := p.judge(&st, true); err != nil && !errors.Is(err, unix.EISDIR) {
		return nil, p.fail("open", err)
	}
	fd, err := p.open(unix.O_RDONLY, true)
	if err != nil {
		return nil, p.fail("open", err)
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	return readAll(file, path, limit)
}
