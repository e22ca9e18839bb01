//go:build linux || darwin || freebsd || netbsd || openbsd

package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// OpenLog opens a file to append to it, makes it if it is missing, and the directories to it. It waits for nothing: what is
// neither a regular file nor a device is an error, as is a place where another user could make it something else.
func OpenLog(path string, o LogOptions) (*os.File, error) {
	p, err := find(path, true, o.As)
	if err != nil {
		return nil, err
	}
	defer p.close()
	var file *os.File
	err = as(p.as, func() (err error) {
		file, err = p.append(o)
		return err
	})
	if err != nil {
		return nil, p.fail("open", err)
	}
	return file, nil
}

// append opens the file at this place.
func (p *place) append(o LogOptions) (*os.File, error) {
	const flags = unix.O_WRONLY | unix.O_APPEND | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	for range 10 { // somebody may make and remove it meanwhile
		var st unix.Stat_t
		err := statAt(p.dir, p.name, &st)
		made := errors.Is(err, unix.ENOENT)
		fd := -1
		switch {
		case made:
			mode := o.Mode
			if mode == 0 {
				mode = 0o644
			}
			fd, err = openAt(p.dir, p.name, flags|unix.O_CREAT|unix.O_EXCL, uint32(mode.Perm()))
		case err == nil:
			if err = p.judge(&st, false); err == nil {
				fd, err = openAt(p.dir, p.name, flags, 0)
			}
		}
		if errors.Is(err, unix.EEXIST) || errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return nil, err
		}
		file := os.NewFile(uintptr(fd), p.path)
		if err = p.opened(fd, made, o); err != nil {
			file.Close()
			return nil, err
		}
		return file, nil
	}
	return nil, errChanged
}

// opened looks at what was opened, and gives it the mode and the owner that it is to have.
func (p *place) opened(fd int, made bool, o LogOptions) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if err := p.judge(&st, false); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return err
	}
	owner := o.Owner
	if owner == nil && made && p.as == nil && o.As != nil && others(&p.in) { // where nobody can act for another
		owner = &Owner{int(o.As.UID), int(o.As.GID)}
	}
	if owner != nil && st.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 {
		return errors.New("it has a set-id bit, and is not given to another")
	}
	if owner != nil && (owner.UID >= 0 && owner.UID != int(st.Uid) || owner.GID >= 0 && owner.GID != int(st.Gid)) {
		if err := unix.Fchown(fd, owner.UID, owner.GID); err != nil {
			return fmt.Errorf("its owner cannot be changed: %w", err)
		}
	}
	if mode := uint32(o.Mode.Perm()); o.Mode != 0 && mode != uint32(st.Mode)&0o7777 { //nolint:unconvert // of another size elsewhere
		if err := unix.Fchmod(fd, mode); err != nil {
			return fmt.Errorf("its mode cannot be changed: %w", err)
		}
	}
	return nil
}

// Rotate renames the file at path to path.1, path.1 to path.2 and so on up to keep, which is replaced. With keep 0 the file
// is removed. It does so only if that is the file which is open, and reports whether.
func Rotate(path string, open *os.File, keep int, o LogOptions) (bool, error) {
	p, err := find(path, false, o.As)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return false, err
	}
	defer p.close()
	rotated := false
	err = as(p.as, func() (err error) {
		rotated, err = p.rotate(open, keep)
		return err
	})
	return rotated, err
}

func (p *place) rotate(open *os.File, keep int) (bool, error) {
	var there, here unix.Stat_t
	if err := statAt(p.dir, p.name, &there); err != nil {
		if errors.Is(err, unix.ENOENT) {
			err = nil
		}
		return false, err
	}
	conn, err := open.SyscallConn() // since Fd would make it wait
	if err != nil {
		return false, err
	}
	if ctl := conn.Control(func(fd uintptr) { err = unix.Fstat(int(fd), &here) }); ctl != nil {
		return false, ctl
	}
	if err != nil || here.Dev != there.Dev || here.Ino != there.Ino {
		return false, err
	}
	if keep <= 0 {
		if err := unix.Unlinkat(p.dir, p.name, 0); err != nil {
			return false, p.fail("remove", err)
		}
		return true, nil
	}
	numbered := func(name string, n int) string {
		if n == 0 {
			return name
		}
		return fmt.Sprintf("%s.%d", name, n)
	}
	for i := keep - 1; i >= 0; i-- {
		err := unix.Renameat(p.dir, numbered(p.name, i), p.dir, numbered(p.name, i+1))
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return false, &os.LinkError{Op: "rename", Old: numbered(p.path, i), New: numbered(p.path, i+1), Err: err}
		}
	}
	return true, nil
}
