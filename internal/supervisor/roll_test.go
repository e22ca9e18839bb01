//go:build unix

package supervisor

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

func TestRollingRestart(t *testing.T) {
	addr := freeAddress(t)
	u := start(t, fileOf(t, serving("web", addr, "1", 2)))
	u.await("all 2 ready")
	before := u.ps()
	get(t, addr)
	var s said
	if err := u.Restart(t.Context(), []string{"web"}, s.add); err != nil {
		t.Fatal(err)
	}
	inOrder(t, s.String(), "web-1: replaced, pid", "web-2: replaced, pid")
	for name, i := range u.ps() {
		if i.PID == 0 || i.PID == before[name].PID || i.State != lastcall.StateReady {
			t.Errorf("%+v", i)
		}
		if said := u.await(name + `: ready, pid (\d+)`)[1]; said != strconv.Itoa(i.PID) {
			t.Errorf("%s is said to be ready as %s, and is %d", name, said, i.PID)
		}
	}
	get(t, addr)
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

func TestRollingRestartThatFails(t *testing.T) {
	addr := freeAddress(t)
	web := serving("web", addr, "1", 1)
	flag := t.TempDir() + "/bad"
	exe := web.Command.Args[0]
	web.Command = config.Command{Args: []string{"sh", "-c", `test -e "$0" && exit 5; exec "$1"`, flag, exe}}
	u := start(t, fileOf(t, web))
	u.await("all 1 ready")
	before := u.ps()["web"]
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := u.Restart(t.Context(), nil, new(said).add)
	if e := (*control.Error)(nil); !errors.As(err, &e) || e.Kind != control.KindStart || !strings.Contains(e.Text, "exit code 5") {
		t.Errorf("%#v", err)
	}
	if now := u.ps()["web"]; now.PID != before.PID || now.State != lastcall.StateReady {
		t.Errorf("%+v, before %+v", now, before)
	}
	get(t, addr)
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

// Where nothing tells when an instance is ready, one that takes the place of another must have run for a second. If it ends before, the
// old one serves on.
func TestReplacementMustProveItself(t *testing.T) {
	dir := t.TempDir()
	web := shellProcess("web", `test -e bad && exit 5; `+waits, func(p *config.Process) {
		p.Dir, p.Listen = dir, []config.Listener{{Name: "http", Network: "tcp", Address: freeAddress(t)}}
	})
	u := start(t, fileOf(t, web))
	u.await("all 1 ready")
	began, before := time.Now(), u.ps()["web"].PID
	if err := u.Restart(t.Context(), nil, new(said).add); err != nil {
		t.Fatal(err)
	}
	now := u.ps()["web"].PID
	if took := time.Since(began); took < provenAfter || now == before {
		t.Errorf("%d was replaced by %d after %v, want %v or more", before, now, took, provenAfter)
	}
	if err := os.WriteFile(dir+"/bad", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := u.Restart(t.Context(), nil, new(said).add)
	if e := (*control.Error)(nil); !errors.As(err, &e) || e.Kind != control.KindStart || u.ps()["web"].PID != now {
		t.Errorf("%v; %d is now %d", err, now, u.ps()["web"].PID)
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}
