//go:build unix

package supervisor

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
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

func TestScale(t *testing.T) {
	u := start(t, fileOf(t, shellProcess("web", waits), shellProcess("proxy", waits, after("web"))))
	u.await("all 2 ready")
	scale := func(n int) {
		t.Helper()
		if err := u.Scale(t.Context(), map[string]int{"web": n}, new(said).add); err != nil {
			t.Fatal(err)
		}
	}
	proxy := u.ps()["proxy"].PID
	for _, test := range []struct {
		n     int
		names string
	}{{3, "web web-2 web-3 proxy"}, {2, "web web-2 proxy"}, {0, "proxy"}, {0, "proxy"}, {2, "web web-2 proxy"}, {1, "web proxy"}} {
		scale(test.n)
		list, _ := u.List(t.Context(), false)
		var names []string
		for _, i := range list {
			names = append(names, i.Name)
			if i.State != lastcall.StateReady || i.PID == 0 {
				t.Errorf("%+v", i)
			}
		}
		if strings.Join(names, " ") != test.names {
			t.Errorf("scale %d: %v, want %s", test.n, names, test.names)
		}
	}
	scale(2)
	if now := u.ps()["proxy"].PID; now != proxy {
		t.Errorf("proxy was %d and is %d", proxy, now)
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
	inOrder(t, u.output()[strings.LastIndex(u.output(), "stopping: SIGTERM"):], "proxy: stopped", "web-2: stopped")
}

// The instances of the file can be fewer, too, under what depends on them; they keep that place when they are restarted.
func TestScaleOfWhatOthersNeed(t *testing.T) {
	web := shellProcess("web", waits, func(p *config.Process) { p.Instances = 3 })
	u := start(t, fileOf(t, web, shellProcess("proxy", waits, after("web"))))
	u.await("all 4 ready")
	u.await(`web-3 +\| hello`)
	u.await(`web-2 +\| hello`)
	before := pids(u)
	if err := u.Scale(t.Context(), map[string]int{"web": 2}, new(said).add); err != nil {
		t.Fatal(err)
	}
	u.await(`web-3 +\| bye`)
	if err := u.Restart(t.Context(), []string{"web"}, new(said).add); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 0, 2, 1} {
		if err := u.Scale(t.Context(), map[string]int{"web": n}, new(said).add); err != nil {
			t.Fatal(err)
		}
		if now := pids(u); now["proxy"] != before["proxy"] || len(now) != n+1 {
			t.Errorf("with %d: %v", n, now)
		}
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
	inOrder(t, u.output()[strings.LastIndex(u.output(), "stopping: SIGTERM"):], "proxy: stopped", "web-1: stopped")
}

func TestScaleThatFails(t *testing.T) {
	web := shellProcess("web", `test $LASTCALL_INSTANCE -gt 1 && exit 5; `+waits)
	web.Ready.Log = "hello"
	u := start(t, fileOf(t, web))
	u.await("all 1 ready")
	err := u.Scale(t.Context(), map[string]int{"web": 2}, new(said).add)
	if e := (*control.Error)(nil); !errors.As(err, &e) || e.Kind != control.KindStart {
		t.Errorf("%#v", err)
	}
	if len(u.ps()) != 1 {
		t.Errorf("%+v", u.ps())
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}
