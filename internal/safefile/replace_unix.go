//go:build linux || darwin || freebsd || netbsd || openbsd

package safefile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// writeWithin is how long Replace waits for the reader of a FIFO or a terminal, each time.
const writeWithin = 5 * time.Second

// Replace makes text the content of a file. The file is another when it returns, or still what it was: the text goes into a
// new file in the same directory, which takes the other's place, mode and owner. A new file has the mode 0644 less the umask.
// Where the directory takes no new file, as with a single file that is mounted into a container, the file itself is written.
// A device, a FIFO with a reader, and a descriptor of the caller such as /dev/stdout get the text as it is.
func Replace(path string, text []byte) error {
	return replacing(path, func(p *place, st *unix.Stat_t) error {
		switch {
		case st != nil && st.Mode&unix.S_IFMT != unix.S_IFREG:
			return p.pass(text)
		case st == nil || p.canMake():
			return p.replace(st, text)
		}
		return p.overwrite(text)
	}, func(file *os.File) error { return writeTo(file, text) })
}

// CanReplace is the error that Replace would return now. It leaves nothing behind, and touches nothing that is there.
func CanReplace(path string) error {
	return replacing(path, func(p *place, st *unix.Stat_t) error {
		switch {
		case st != nil && st.Mode&unix.S_IFMT == unix.S_IFIFO:
			return nil // opening it would be seen at its other end
		case st != nil && (st.Mode&unix.S_IFMT != unix.S_IFREG || !p.canMake()):
			fd, err := p.open(unix.O_WRONLY, true)
			if err == nil {
				unix.Close(fd)
			}
			return err
		}
		file, name, err := p.temporary()
		if err == nil {
			file.Close()
			err = unix.Unlinkat(p.dir, name, 0)
		}
		return err
	}, func(*os.File) error { return nil })
}

// replacing calls there with the place that path names and what is there, nil if nothing is, or own with the descriptor that
// it stands for.
func replacing(path string, there func(*place, *unix.Stat_t) error, own func(*os.File) error) error {
	if n, ok := descriptor(path); ok {
		fd, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return (&place{path: path}).fail("open", err)
		}
		file := os.NewFile(uintptr(fd), path)
		defer file.Close()
		return own(file)
	}
	p, err := find(path, false, nil)
	if err != nil {
		return err
	}
	defer p.close()
	var st unix.Stat_t
	now := &st
	switch err = statAt(p.dir, p.name, &st); {
	case errors.Is(err, unix.ENOENT):
		now, err = nil, nil
	case err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG:
		err = p.judge(&st, true)
	}
	if err == nil {
		err = there(p, now)
	}
	if err != nil {
		return p.fail("write", err)
	}
	return nil
}

// descriptor is the number of the caller's own descriptor that a path stands for.
func descriptor(path string) (int, bool) {
	switch path {
	case "/dev/stdout":
		return 1, true
	case "/dev/stderr":
		return 2, true
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if number, ok := strings.CutPrefix(path, dir); ok {
			n, err := strconv.ParseUint(number, 10, 31)
			return int(n), err == nil
		}
	}
	return 0, false
}

// open opens what is at this place, if it is what it may be.
func (p *place) open(flags int, fifo bool) (int, error) {
	fd, err := openAt(p.dir, p.name, flags|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		if errors.Is(err, unix.ENXIO) && fifo {
			err = errors.New("no program reads it")
		}
		return -1, err
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil {
		err = p.judge(&st, fifo)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// pass writes into a device or a FIFO.
func (p *place) pass(text []byte) error {
	fd, err := p.open(unix.O_WRONLY, true)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), p.path)
	return errors.Join(writeTo(file, text), file.Close())
}

// writeTo writes all of text, if somebody takes it.
func writeTo(file *os.File, text []byte) error {
	for len(text) > 0 {
		_ = file.SetWriteDeadline(time.Now().Add(writeWithin))
		n, err := file.Write(text[:min(len(text), 4<<10)])
		if text = text[n:]; err != nil {
			return bare(err)
		}
	}
	return nil
}

// bare is an error without what was done to what.
func bare(err error) error {
	if inner := (*os.PathError)(nil); errors.As(err, &inner) {
		return inner.Err
	}
	return err
}

// canMake reports whether a new file can be made in the directory, and take the place of another.
func (p *place) canMake() bool {
	var dir, file unix.Stat_t
	if unix.Faccessat(p.dir, ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS) != nil || statAt(p.dir, p.name, &file) != nil || unix.Fstat(p.dir, &dir) != nil {
		return false
	}
	return file.Dev == dir.Dev // else it is a mount point
}

// temporary makes a file beside the one that is to be replaced.
func (p *place) temporary() (*os.File, string, error) {
	short := p.name[:min(len(p.name), 200)]
	name := fmt.Sprintf(".%s.%s", short, rand.Text()[:12])
	fd, err := openAt(p.dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, "", err
	}
	return os.NewFile(uintptr(fd), name), name, nil
}

// replace writes a new file and lets it take the place of what is there.
func (p *place) replace(old *unix.Stat_t, text []byte) (err error) {
	file, name, err := p.temporary()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = unix.Unlinkat(p.dir, name, 0)
		}
	}()
	_, err = file.Write(text)
	if err == nil && old != nil && !sticky(&p.in) { // in /tmp it may be anybody's
		_ = file.Chown(int(old.Uid), int(old.Gid)) // as far as that is possible
		err = file.Chmod(os.FileMode(old.Mode & 0o777))
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(bare(err), file.Close()); err != nil {
		return err
	}
	if err = unix.Renameat(p.dir, name, p.dir, p.name); errors.Is(err, unix.EBUSY) { // it is mounted from the same file system
		_ = unix.Unlinkat(p.dir, name, 0)
		return p.overwrite(text)
	}
	if err != nil {
		return err
	}
	if dir, err := openAt(p.dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
		_ = unix.Fsync(dir)
		unix.Close(dir)
	}
	return nil
}

// overwrite writes the file itself.
func (p *place) overwrite(text []byte) error {
	fd, err := p.open(unix.O_WRONLY, false)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), p.path)
	_, err = file.Write(text)
	if err == nil {
		err = file.Truncate(int64(len(text)))
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(bare(err), file.Close())
}
