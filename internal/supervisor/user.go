//go:build unix

package supervisor

import (
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// become makes it run as another user: "name", "name:group" or numbers. The groups are those of the user's own, unless one is
// named. HOME, USER and LOGNAME are the user's, unless the file says otherwise.
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
	} else if ids, err := u.GroupIds(); err == nil {
		for _, id := range ids {
			if gid, err := number(id); err == nil {
				cred.Groups = append(cred.Groups, gid)
			}
		}
	}
	if int(cred.Uid) == os.Geteuid() && (!hasGroup || int(cred.Gid) == os.Getegid()) {
		return nil // it is so already, and who is not root could not even say so
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("only root can run it as %q", d.User)
	}
	d.sys = &syscall.SysProcAttr{Credential: cred}
	own := []string{"HOME=" + u.HomeDir, "USER=" + u.Username, "LOGNAME=" + u.Username}
	d.env = slices.Concat(own, d.env)
	return nil
}

// leaveTerminal gives it a session of its own if it has less rights than lastcall: in that of lastcall it could push input into the
// terminal, for a shell of root to read (TIOCSTI, see ioctl_tty(2)). Each of its commands has one; the signals of the terminal reach
// none of them in any case, since each leads a process group of its own.
func (d *definition) leaveTerminal() {
	if d.TTY || d.sys == nil && d.capabilities == nil {
		return
	}
	if d.sys == nil {
		d.sys = new(syscall.SysProcAttr)
	}
	d.sys.Setsid = true
}

func number(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	return uint32(n), err
}
