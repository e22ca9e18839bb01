//go:build unix

package supervisor

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strings"

	"github.com/lastcall-go/lastcall/internal/safefile"
)

// logOptions are how the log file of a process is opened: with the rights of the process's user, where root's own directories
// end, and with the mode and the owner that the file states.
func (d *definition) logOptions() (safefile.LogOptions, error) {
	o := safefile.LogOptions{Mode: fs.FileMode(d.Log.Mode)}
	if d.sys != nil && d.sys.Credential != nil {
		c := d.sys.Credential
		o.As = &safefile.Rights{UID: c.Uid, GID: c.Gid, Groups: c.Groups}
	}
	if d.Log.Owner == "" {
		return o, nil
	}
	owner, err := fileOwner(d.Log.Owner)
	if err == nil && os.Geteuid() != 0 && owner.UID >= 0 && owner.UID != os.Geteuid() {
		err = fmt.Errorf("only root can give a file to %q", d.Log.Owner)
	}
	o.Owner = owner
	return o, err
}

// fileOwner is who a file is given to by "name", "name:group" or numbers.
func fileOwner(text string) (*safefile.Owner, error) {
	name, groupName, hasGroup := strings.Cut(text, ":")
	owner := &safefile.Owner{GID: -1}
	u, err := user.Lookup(name)
	if err == nil {
		name = u.Uid
	}
	uid, err := number(name)
	if err != nil {
		return nil, fmt.Errorf("owner: there is no user %q", name)
	}
	owner.UID = int(uid)
	if hasGroup {
		if g, err := user.LookupGroup(groupName); err == nil {
			groupName = g.Gid
		}
		gid, err := number(groupName)
		if err != nil {
			return nil, fmt.Errorf("owner: there is no group %q", groupName)
		}
		owner.GID = int(gid)
	}
	return owner, nil
}
