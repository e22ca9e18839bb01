//go:build unix

package supervisor

import (
	"os"
	"os/user"
	"slices"
	"strings"
	"testing"
)

// Debian's PostgreSQL reads its key as a member of ssl-cert, whether the file says user: postgres or user: postgres:postgres.
func TestSupplementaryGroups(t *testing.T) {
	for _, test := range []struct {
		gid  uint32
		want []uint32
	}{
		{100, []uint32{100, 5, 7}}, // user: name, and user: name:name
		{33, []uint32{33, 5, 7}},   // user: name:another
		{5, []uint32{5, 7}},        // user: name:group-that-it-is-in
	} {
		if got := supplementary([]string{"100", "5", "7", "odd"}, "100", test.gid); !slices.Equal(got, test.want) {
			t.Errorf("with group %d: %v, want %v", test.gid, got, test.want)
		}
	}
}

// The same user has the same groups with and without its own group behind the colon.
func TestUserWithItsOwnGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may become another user")
	}
	name, group := memberOfMore(t)
	plain, named := definition{}, definition{}
	if err := plain.become(name); err != nil {
		t.Fatal(err)
	}
	if err := named.become(name + ":" + group); err != nil {
		t.Fatal(err)
	}
	if a, b := plain.sys.Credential, named.sys.Credential; len(a.Groups) < 2 || !slices.Equal(a.Groups, b.Groups) || a.Gid != b.Gid {
		t.Errorf("user: %s has %+v, user: %s:%s has %+v", name, a, name, group, b)
	}
}

// memberOfMore finds a user of this system who is in a group besides the primary one.
func memberOfMore(t *testing.T) (name, group string) {
	t.Helper()
	text, err := os.ReadFile("/etc/group")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) < 4 || fields[3] == "" {
			continue
		}
		name, _, _ := strings.Cut(fields[3], ",")
		if u, err := user.Lookup(name); err == nil && u.Gid != fields[2] && u.Uid != "0" {
			if g, err := user.LookupGroupId(u.Gid); err == nil {
				return name, g.Name
			}
		}
	}
	t.Skip("no user of /etc/group is in a second group here")
	return "", ""
}
