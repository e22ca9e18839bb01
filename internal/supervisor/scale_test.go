//go:build unix

package supervisor

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

// Of several new instances all stay or none: those that were ready go again, their names and places are free, and what stood for the
// process without any stands for it again.
// Each instance is said when it is ready, or gone, and not when all are.
func TestScaleSaysWhatHappens(t *testing.T) {
	dir := t.TempDir()
	web := shellProcess("web", `trap 'until test -e free-$LASTCALL_INSTANCE; do sleep 0.05; done; exit 0' TERM
		until test -e free-$LASTCALL_INSTANCE; do sleep 0.05; done; rm free-$LASTCALL_INSTANCE; echo ready; `+waitsFor, func(p *config.Process) {
		p.Dir, p.Instances, p.Ready.Log = dir, 0, "ready"
	})
	u := start(t, fileOf(t, web, shellProcess("other", waits)))
	u.await("all 1 ready")
	for _, step := range []struct {
		n     int
		order []int
		word  string
	}{{2, []int{2, 1}, "ready"}, {0, []int{1, 2}, "stopped and gone"}} {
		lines := make(chan string, 10)
		done := make(chan error, 1)
		go func() {
			done <- u.Scale(t.Context(), map[string]int{"web": step.n}, func(line string) { lines <- line })
		}()
		for _, number := range step.order {
			name := "web"
			if number > 1 {
				name = fmt.Sprintf("web-%d", number)
			}
			if err := os.WriteFile(fmt.Sprintf("%s/free-%d", dir, number), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			select {
			case line := <-lines:
				if line != name+": "+step.word {
					t.Errorf("it says %q, and %s is %s", line, name, step.word)
				}
			case err := <-done:
				t.Fatalf("scaling to %d ended without a word of %s: %v", step.n, name, err)
			case <-time.After(patience):
				t.Fatalf("nothing is said of %s", name)
			}
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

func TestScaleAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	bad := dir + "/bad"
	web := shellProcess("web", `test $LASTCALL_INSTANCE = 3 && test -e bad && exit 5; `+waits, func(p *config.Process) {
		p.Dir, p.Ready.Log, p.Instances = dir, "hello", 0
	})
	u := start(t, fileOf(t, web, shellProcess("proxy", waits, after("web"))))
	u.await("all 1 ready")
	proxy := u.ps()["proxy"].PID
	for _, from := range []int{0, 1, 2} {
		if err := u.Scale(t.Context(), map[string]int{"web": from}, new(said).add); err != nil {
			t.Fatal(err)
		}
		before := pids(u)
		if err := os.WriteFile(bad, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		err := u.Scale(t.Context(), map[string]int{"web": 5}, new(said).add)
		if e := (*control.Error)(nil); !errors.As(err, &e) || e.Kind != control.KindStart {
			t.Errorf("from %d: %v", from, err)
		}
		now := pids(u)
		if len(now) != len(before) {
			t.Errorf("from %d: before %v, now %v", from, before, now)
		}
		for name, pid := range before {
			if now[name] != pid {
				t.Errorf("from %d: before %v, now %v", from, before, now)
			}
		}
		os.Remove(bad)
		if err := u.Scale(t.Context(), map[string]int{"web": 5}, new(said).add); err != nil {
			t.Errorf("from %d, later: %v", from, err)
		}
		if now := pids(u); len(now) != 6 || now["proxy"] != proxy {
			t.Errorf("from %d, later: %v", from, now)
		}
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

// A new process of the file comes with all its instances, or is not there; the next reload tries again.
func TestReloadAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	in := func(p *config.Process) { p.Dir = dir }
	bad := dir + "/bad"
	if err := os.WriteFile(bad, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	many := func() *config.Process {
		return shellProcess("many", `test $LASTCALL_INSTANCE = 3 && test -e bad && exit 5; `+waits, in, func(p *config.Process) {
			p.Ready.Log, p.Instances = "hello", 4
		})
	}
	file := &changing{file: fileOf(t, shellProcess("web", waits, in))}
	u := startFrom(t, file.load)
	u.await("all 1 ready")
	file.set(fileOf(t, shellProcess("web", waits, in), many()), nil)
	if _, err := u.reloads(); err == nil {
		t.Error("no error")
	}
	if now := pids(u); len(now) != 1 {
		t.Errorf("%v", now)
	}
	os.Remove(bad)
	if _, err := u.reloads(); err != nil {
		t.Error(err)
	}
	if now := pids(u); len(now) != 5 {
		t.Errorf("%v", now)
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

// A process whose output is to go elsewhere, where that is not possible, runs on as it was.
func TestReloadWithALogThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	in := func(p *config.Process) { p.Dir = dir }
	logs := func(path string) *config.Process {
		return shellProcess("web", waits, in, func(p *config.Process) { p.Log.File = path })
	}
	file := &changing{file: fileOf(t, logs(""))}
	u := startFrom(t, file.load)
	u.await("all 1 ready")
	u.await("web +. hello")
	before := pids(u)
	if err := os.WriteFile(dir+"/none", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	file.set(fileOf(t, logs(dir+"/none/log")), nil)
	if _, err := u.reloads(); err == nil {
		t.Error("no error")
	}
	if now := pids(u); now["web"] != before["web"] || now["web"] == 0 {
		t.Errorf("before %v, now %v", before, now)
	}
	file.set(fileOf(t, logs(dir+"/log")), nil)
	if _, err := u.reloads(); err != nil {
		t.Error(err)
	}
	awaitFile(t, dir+"/log", "hello\n")
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}
