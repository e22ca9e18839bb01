//go:build unix

package supervisor

import (
	"fmt"
	"os"
	"os/user"
	"strings"
	"syscall"
	"testing"

	"github.com/lastcall-go/lastcall/internal/supervisor/config"
)

// as is a process that says who it is, also from its hooks.
func as(name string) *config.Process {
	return shellProcess("web", `echo "runs as $(id -u) $(id -g) groups $(id -G) $USER $LOGNAME at home in $HOME"; `+waits, func(p *config.Process) {
		p.User, p.Dir = name, "/"
		p.Hooks.BeforeStart = &config.Command{Shell: `echo "before as $(id -u)"`}
	})
}

func TestUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	for name, want := range map[string]string{
		"nobody":   fmt.Sprintf("%s %s groups .*%[2]s.* nobody nobody at home in %s", nobody.Uid, nobody.Gid, nobody.HomeDir),
		"nobody:7": nobody.Uid + " 7 groups 7 nobody nobody at home in " + nobody.HomeDir,
		"54321:7":  "54321 7 groups 7 54321 54321 at home in /",
		"0":        "0 0 groups ",
	} {
		t.Run(name, func(t *testing.T) {
			u := start(t, fileOf(t, as(name)))
			u.await(`web +\| runs as ` + want)
			before, _, _ := strings.Cut(name, ":")
			if before == "nobody" {
				before = nobody.Uid
			}
			u.await(`web +\| before as ` + before + "$")
			u.await(`web +\| hello`)
			if u.end(syscall.SIGTERM) != 0 { // it can be stopped, too
				t.Error(u.err)
			}
		})
	}
}

func TestUserThatCannotBe(t *testing.T) {
	for name, want := range map[string]string{
		"nosuchuser":             `web: user: there is no user "nosuchuser"`,
		"0:nosuchgroup":          `web: user: there is no group "nosuchgroup"`,
		"99999999999":            `web: user: `,
		"54321":                  `web: user: only root can run it as "54321"`,
		fmt.Sprint(os.Geteuid()): "",
	} {
		if name == "54321" && os.Geteuid() == 0 {
			continue
		}
		_, err := define(as(name), false)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}
