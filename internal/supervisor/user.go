//go:build unix

package supervisor

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// become makes it run as another user: "name", "name:group" or numbers. A group that is named takes the place of the user's primary
// one; the supplementary groups are the user's in any case, as with User= and Group= of systemd. HOME, USER and LOGNAME are the user's, unless the file says otherwise.
func (d *definition) become(name string) error {
	name, groupName, hasGroup := strings.Cut(name, ":")
	u, err := user.Lookup(name)
	if err != nil {
		if _, number := strconv.ParseUint(name, 10, 32); number != nil {
			return fmt.Errorf("there is no user %q", name)
		}
		if u, err = user.LookupId(name); err != nil { // a number may be nobody's
			u = &user.User{Uid: name, Gid: name, Username: name, HomeDir: "/"}
		}
	}
	cred := new(syscall.Credential)
	if cred.Uid, err = number(u.Uid); err != nil {
		return err
	}
	if cred.Gid, err = number(u.Gid); err != nil {
		return err
	}
	if hasGroup {
		gid := groupName
		if g, err := user.LookupGroup(groupName); err == nil {
			gid = g.Gid
		}
		if cred.Gid, err = number(gid); err != nil {
			return fmt.Errorf("there is no group %q", groupName)
		}
	}
	if ids, err := u.GroupIds(); err == nil {
		cred.Groups = supplementary(ids, u.Gid, cred.Gid)
	}
	if int(cred.Uid) == os.Geteuid() && (!hasGroup || int(cred.Gid) == os.Getegid()) {
		return nil // it is so already, and who is not root could not even say so
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("only root can run it as %q", d.User)
	}
	d.sys, d.home = &syscall.SysProcAttr{Credential: cred}, u.HomeDir
	own := []string{"HOME=" + u.HomeDir, "USER=" + u.Username, "LOGNAME=" + u.Username}
	d.env = slices.Concat(own, d.env)
	return nil
}

// supplementary are the groups of a user besides the one in whose place gid is, and gid.
func supplementary(ids []string, primary string, gid uint32) []uint32 {
	groups := []uint32{gid}
	for _, id := range ids {
		if n, err := number(id); err == nil && id != primary && n != gid {
			groups = append(groups, n)
		}
	}
	return groups
}

// leaveTerminal gives each of its commands a session of its own, unless the file says otherwise. In that of lastcall it could push input
// into the terminal, for a shell of root to read (TIOCSTI, see ioctl_tty(2)), and a program that reads /dev/tty would be halted by
// SIGTTIN, since it leads a process group in the background. In its own it gets an error, and where it keeps the session, too: there
// the signal is ignored.
func (d *definition) leaveTerminal() {
	if d.TTY {
		for _, command := range []*[]string{&d.argv, &d.before, &d.after, &d.reloadBy, &d.stopBy} {
			*command = ignoringInput(*command)
		}
		return
	}
	if d.sys == nil {
		d.sys = new(syscall.SysProcAttr)
	}
	d.sys.Setsid = true
}

// ignoringInput is a command that SIGTTIN does not halt.
func ignoringInput(argv []string) []string {
	if len(argv) == 0 {
		return nil
	}
	return slices.Concat([]string{shell, "-c", `trap "" TTIN; exec "$@"`, shell}, argv)
}

// homeDir is the path with the home of the user that it runs as in place of ~.
func (d *definition) homeDir(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok {
		return path, nil
	}
	home := d.home
	if home == "" {
		var err error
		if home, err = os.UserHomeDir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(home, rest), nil
}

func number(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	return uint32(n), err
}
