//go:build linux || darwin || freebsd || netbsd || openbsd

package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// errChanged is that somebody changes the directory meanwhile.
var errChanged = errors.New("it was changed meanwhile")

// A place is a name in an open directory.
type place struct {
	path string // as it was asked for, for messages
	dir  int    // a descriptor
	in   unix.Stat_t
	name string
	via  *unix.Stat_t // the link of another user that led here; nil without
	as   *Rights      // with which all is done here; nil: the caller's own
}

func (p *place) close() { unix.Close(p.dir) }

// fail is an error that names the path.
func (p *place) fail(op string, err error) error {
	return &fs.PathError{Op: op, Path: p.path, Err: err}
}

// maxLinks is how many links are followed, as in the kernel.
const maxLinks = 40

// A walk is the way to a place.
type walk struct {
	place
	parts []string // still to go
	links int
	make  bool    // directories that are missing
	actAs *Rights // for whom, in directories that are not root's or the caller's
}

// find walks to the place that path names. Links are resolved: what is there, if anything, is none.
func find(path string, makeDirs bool, actAs *Rights) (*place, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	w := &walk{place: place{path: path, dir: -1}, make: makeDirs, actAs: actAs}
	w.split(abs, nil)
	err = w.root()
	if err == nil {
		err = w.steps()
	}
	if err == nil {
		err = w.allowed()
	}
	if canAct && others(&w.in) {
		w.as = actAs
	}
	if err != nil {
		if w.dir >= 0 {
			w.close()
		}
		return nil, w.fail("open", err)
	}
	return &w.place, nil
}

// split makes the way begin with path.
func (w *walk) split(path string, then []string) {
	w.parts = append(strings.FieldsFunc(path, func(c rune) bool { return c == '/' }), then...)
}

// root goes to the root directory.
func (w *walk) root() error {
	fd, err := openAt(unix.AT_FDCWD, "/", openDir, 0)
	if err != nil {
		return err
	}
	return w.enter(fd)
}

// enter makes an open directory the one where the walk is.
func (w *walk) enter(fd int) error {
	if w.dir >= 0 {
		unix.Close(w.dir)
	}
	w.dir = fd
	return unix.Fstat(fd, &w.in)
}

// steps goes on until the last name.
func (w *walk) steps() error {
	for {
		if len(w.parts) == 0 {
			return unix.EISDIR
		}
		w.name = w.parts[0]
		if len(w.parts) > 1 && w.name == "." {
			w.parts = w.parts[1:]
			continue
		}
		var st unix.Stat_t
		err := statAt(w.dir, w.name, &st)
		switch {
		case errors.Is(err, unix.ENOENT) && len(w.parts) == 1:
			return nil
		case errors.Is(err, unix.ENOENT) && w.make:
			err = w.makeDir()
		case err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK:
			err = w.follow()
		case err == nil && len(w.parts) == 1:
			return nil
		case err == nil:
			var fd int
			if fd, err = openAt(w.dir, w.name, openDir, 0); err == nil {
				w.parts = w.parts[1:]
				err = w.enter(fd)
			}
		}
		if err != nil {
			return err
		}
	}
}

// makeDir makes the directory that is missing, for the one who is acted for.
func (w *walk) makeDir() error {
	var who *Rights
	if others(&w.in) {
		who = w.actAs
	}
	err := as(who, func() error { return unix.Mkdirat(w.dir, w.name, 0o755) })
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	if err == nil && who != nil && !canAct {
		err = unix.Fchownat(w.dir, w.name, int(who.UID), int(who.GID), unix.AT_SYMLINK_NOFOLLOW)
	}
	return err
}

// follow goes where a link leads, if it may.
func (w *walk) follow() error {
	if w.links++; w.links > maxLinks {
		return unix.ELOOP
	}
	target, st, err := readLink(w.dir, w.name)
	if err != nil {
		return err
	}
	if shared(&w.in) && (!own(st.Uid) || st.Nlink > 1) {
		if st.Nlink > 1 || w.via != nil && w.via.Uid != st.Uid {
			return fmt.Errorf("the link %s of %s is not followed", w.name, userName(st.Uid))
		}
		w.via = &st
	}
	w.split(target, w.parts[1:])
	if strings.HasPrefix(target, "/") {
		return w.root()
	}
	return nil
}

// allowed says whether links of another user led to what is not that user's.
func (w *walk) allowed() error {
	if w.via == nil || w.in.Uid == w.via.Uid && !sticky(&w.in) {
		return nil
	}
	var st unix.Stat_t
	switch err := statAt(w.dir, w.name, &st); {
	case err == nil && st.Uid == w.via.Uid:
		return nil
	case err == nil:
		return fmt.Errorf("a link of %s leads there, and it belongs to %s", userName(w.via.Uid), userName(st.Uid))
	case !errors.Is(err, unix.ENOENT):
		return err
	}
	return fmt.Errorf("a link of %s leads there, and its directory belongs to %s", userName(w.via.Uid), userName(w.in.Uid))
}

// judge says what is wrong with an open file at this place, or one that is to be opened.
func (p *place) judge(st *unix.Stat_t, fifo bool) error {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFCHR:
		return nil // made by root
	case unix.S_IFIFO:
		if !fifo {
			return errors.New("it is a FIFO, and must be a file")
		}
	case unix.S_IFDIR:
		return unix.EISDIR
	case unix.S_IFLNK:
		return errChanged
	default:
		return errors.New("it is a socket or a block device, and must be a file")
	}
	switch {
	case p.as != nil || !shared(&p.in):
		return nil
	case st.Nlink > 1:
		return fmt.Errorf("it has another name elsewhere, and %s may be changed by others", filepath.Dir(p.path))
	case sticky(&p.in) && !own(st.Uid) && st.Uid != p.in.Uid:
		return fmt.Errorf("it belongs to %s, and everyone may make files in %s", userName(st.Uid), filepath.Dir(p.path))
	}
	return nil
}

// own reports whether it is root or the caller.
func own(uid uint32) bool { return uid == 0 || int(uid) == os.Geteuid() }

// shared reports whether others than root and the caller may change what is in a directory.
func shared(dir *unix.Stat_t) bool {
	return !own(dir.Uid) || dir.Mode&0o002 != 0 || dir.Mode&0o020 != 0 && dir.Gid != 0
}

// others reports whether a directory is the ground of others, or of everyone.
func others(dir *unix.Stat_t) bool { return !own(dir.Uid) || dir.Mode&0o002 != 0 }

// sticky reports whether everyone may make files in a directory, as in /tmp, but only remove their own.
func sticky(dir *unix.Stat_t) bool { return dir.Mode&0o002 != 0 }

// userName is a user for messages.
func userName(uid uint32) string {
	if uid == 0 {
		return "root"
	}
	return fmt.Sprintf("user %d", uid)
}
