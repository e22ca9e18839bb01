//go:build unix

package supervisor

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/testset"
)

// A reload whose client goes away at any moment leaves no process stopped that is to run, and the next reload makes the file run.
func TestReloadThatIsInterrupted(t *testing.T) {
	dir := t.TempDir()
	version := func(n int) *config.File {
		slow := `trap 'sleep 0.02; exit 0' TERM; echo hello; ` + waitsFor
		named := func(name string) *config.Process {
			return shellProcess(name, slow, func(p *config.Process) {
				p.Dir, p.Env, p.Ready.Log = dir, []string{fmt.Sprintf("N=%d", n)}, "hello"
			})
		}
		if n%2 == 0 {
			return fileOf(t, named("web"))
		}
		return fileOf(t, named("web"), named("extra"))
	}
	file := &changing{file: version(0)}
	u := startFrom(t, file.load)
	u.await("all 1 ready")
	const latest = 40 // ms
	times := testset.Of(t, 12, latest)
	for n := 1; n <= times; n++ {
		file.set(version(n), nil)
		short, cancel := context.WithTimeout(t.Context(), time.Duration(n*latest/times)*time.Millisecond)
		_ = u.Reload(short, nil, new(said).add)
		cancel()
		u.awaitState("web", lastcall.StateReady)
		if err := u.Reload(t.Context(), nil, new(said).add); err != nil {
			t.Fatalf("after %d: %v", n, err)
		}
		now := u.ps()
		for name, i := range now {
			if i.State != lastcall.StateReady {
				t.Errorf("after %d: %s: %+v", n, name, i)
			}
		}
		if len(now) != 1+n%2 {
			t.Fatalf("after %d: %v", n, now)
		}
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}
