//go:build unix

package supervisor

import (
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

// changing is a file that changes.
type changing struct {
	mu   sync.Mutex
	file *config.File
	err  error
}

func (c *changing) load() (*config.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.file, c.err
}

func (c *changing) set(file *config.File, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.file, c.err = file, err
}

func (u *up) reloads() (string, error) {
	var s said
	err := u.Reload(u.t.Context(), nil, s.add)
	return s.String(), err
}

func pids(u *up) map[string]int {
	all := map[string]int{}
	for name, i := range u.ps() {
		all[name] = i.PID
	}
	return all
}

func TestReloadOfTheFile(t *testing.T) {
	dir := t.TempDir()
	in := func(p *config.Process) { p.Dir = dir }
	same := func() *config.Process { return shellProcess("same", waits, in) }
	file := &changing{file: fileOf(t, same(), shellProcess("old", waits, in), shellProcess("user", waits, in, after("old")), shellProcess("many", waits, in))}
	u := startFrom(t, file.load)
	u.await("all 4 ready")
	before := pids(u)

	if text, err := u.reloads(); err != nil || text != "nothing has changed" {
		t.Error(text, err)
	}
	file.set(nil, errors.New("lastcall.yaml:3:1: nonsense"))
	if _, err := u.reloads(); err == nil || err.Error() != "lastcall.yaml:3:1: nonsense" {
		t.Error(err)
	}

	many := shellProcess("many", waits, in)
	many.Instances = 2
	file.set(fileOf(t, shellProcess("fresh", waits, in), same(), shellProcess("user", "echo changed; "+waits, in, after("fresh")), many), nil)
	text, err := u.reloads()
	if err != nil {
		t.Fatal(text, err)
	}
	u.await("changed")
	now := pids(u)
	if now["same"] != before["same"] || now["many"] != before["many"] || now["user"] == before["user"] || now["fresh"] == 0 || now["many-2"] == 0 || len(now) != 5 {
		t.Errorf("before %v, now %v", before, now)
	}
	u.await("(?s)fresh: ready.*user: ready") // its message is read a moment later
	inOrder(t, u.output(), "user: stopped", "old: stopped", "fresh: ready", "user: ready")
	list, _ := u.List(t.Context(), false)
	if list[0].Name != "fresh" {
		t.Errorf("it is not in the order of the file: %+v", list)
	}
	if text, err := u.reloads(); err != nil || text != "nothing has changed" {
		t.Error(text, err)
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
	inOrder(t, u.output()[strings.LastIndex(u.output(), "stopping: SIGTERM"):], "user: stopped", "fresh: stopped")
}

// What has been given a new definition has the place in the order that the old one had.
func TestOrderAfterReload(t *testing.T) {
	dir, addr := t.TempDir(), freeAddress(t)
	in := func(p *config.Process) { p.Dir = dir }
	held := func(version string) *config.Process {
		p := serving("held", addr, version, 2)
		p.Dir = dir
		return p
	}
	web := func() *config.Process { return shellProcess("web", waits, in, after("db", "held")) }
	file := &changing{file: fileOf(t, web(), shellProcess("db", waits, in), held("1"))}
	u := startFrom(t, file.load)
	u.await("all 4 ready")
	u.await(`web +\| hello`)
	before := pids(u)
	for _, version := range []string{"2", "3"} {
		file.set(fileOf(t, web(), shellProcess("db", "echo version "+version+"; "+waits, in), held(version)), nil)
		if text, err := u.reloads(); err != nil {
			t.Fatal(text, err)
		}
		u.await(`(?s)db +\| version ` + version + `\n.*db +\| hello`)
	}
	now := pids(u)
	if now["web"] != before["web"] || now["db"] == before["db"] || now["held-1"] == before["held-1"] {
		t.Errorf("before %v, now %v", before, now)
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
	end := u.output()[strings.LastIndex(u.output(), "stopping: SIGTERM"):]
	inOrder(t, end, "web: stopped", "db: stopped")
	inOrder(t, end, "web: stopped", "held-1: stopped")
	inOrder(t, end, "web: stopped", "held-2: stopped")
}

// Log files are opened anew, also where the file is wrong.
func TestReloadReopensLogs(t *testing.T) {
	path := t.TempDir() + "/web.log"
	web := shellProcess("web", `trap 'echo again' HUP; trap 'exit 0' TERM; echo hello; `+waitsFor, func(p *config.Process) { p.Log.File = path })
	file := &changing{file: fileOf(t, web)}
	u := startFrom(t, file.load)
	awaitFile(t, path, "hello\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	u.signals <- syscall.SIGHUP
	u.await("reload: nothing has changed")
	if err := u.Signal(t.Context(), []string{"web"}, "HUP"); err != nil {
		t.Fatal(err)
	}
	awaitFile(t, path, "again\n")
	if err := os.Rename(path, path+".2"); err != nil {
		t.Fatal(err)
	}
	file.set(nil, errors.New("lastcall.yaml:3:1: nonsense"))
	if _, err := u.reloads(); err == nil {
		t.Error("a wrong file was read")
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	awaitFile(t, path+".1", "hello\n")
}

// A reload by SIGHUP says whom it waits for.
func TestReloadSaysWhoIsAwaited(t *testing.T) {
	dir := t.TempDir()
	in := func(p *config.Process) { p.Dir = dir }
	free := dir + "/free"
	old := shellProcess("old", `trap 'until test -e "`+free+`"; do sleep 0.05; done; exit 0' TERM; echo hello; `+waitsFor, in)
	file := &changing{file: fileOf(t, old, shellProcess("web", waits, in))}
	u := startFrom(t, file.load)
	u.await(`old +\| hello`)
	u.await("all 2 ready")
	file.set(fileOf(t, shellProcess("web", waits, in)), nil)
	u.signals <- syscall.SIGHUP
	u.await(`lastcall \| reload: waiting for old \(pid \d+, \d+s, sent SIGTERM\)$`)
	if err := os.WriteFile(free, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	u.await("old: stopped")
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

func TestReloadThatFailsKeepsWhatRan(t *testing.T) {
	dir := t.TempDir()
	in := func(p *config.Process) { p.Dir = dir }
	ready := func(p *config.Process) { p.Ready.Log = "hello" }
	file := &changing{file: fileOf(t, shellProcess("db", waits, in, ready), shellProcess("web", waits, in, after("db")))}
	u := startFrom(t, file.load)
	u.await("all 2 ready")
	before := pids(u)
	file.set(fileOf(t, shellProcess("db", "exit 3", in, ready), shellProcess("web", waits, in, after("db")), shellProcess("bad", "exit 4", in, ready)), nil)
	text, err := u.reloads()
	if e := (*control.Error)(nil); !errors.As(err, &e) || e.Kind != control.KindStart || !strings.Contains(e.Text, "exit code 3") || !strings.Contains(e.Text, "exit code 4") {
		t.Errorf("%#v, %s", err, text)
	}
	u.awaitState("db", lastcall.StateReady)
	if now := pids(u); now["web"] != before["web"] || len(now) != 2 {
		t.Errorf("before %v, now %v", before, now)
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

// What depends on a process that does not start with its new definition keeps its own old one, also if that has changed.
func TestDependentsOfAFailedReloadStay(t *testing.T) {
	dir := t.TempDir()
	in := func(p *config.Process) { p.Dir, p.Ready.Log = dir, "hello" }
	file := &changing{file: fileOf(t, shellProcess("db", waits, in), shellProcess("api", waits, in, after("db")), shellProcess("web", waits, in, after("api")))}
	u := startFrom(t, file.load)
	u.await("all 3 ready")
	before := pids(u)
	changed := func(p *config.Process) { p.Env = []string{"CHANGED=1"} }
	file.set(fileOf(t, shellProcess("db", "exit 3", in), shellProcess("api", waits, in, changed, after("db")), shellProcess("web", waits, in, changed, after("api"))), nil)
	_, err := u.reloads()
	for _, want := range []string{"exit code 3", "api: left as it was, since db did not start", "web: left as it was, since api did not start"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	u.awaitState("db", lastcall.StateReady)
	if now := pids(u); now["api"] != before["api"] || now["web"] != before["web"] {
		t.Errorf("before %v, now %v", before, now)
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

func TestReloadRollsWhatHasSockets(t *testing.T) {
	addr, other := freeAddress(t), freeAddress(t)
	dir := t.TempDir()
	web := func(version, addr string) *config.Process {
		p := serving("web", addr, version, 2)
		p.Dir = dir
		return p
	}
	file := &changing{file: fileOf(t, web("1", addr))}
	u := startFrom(t, file.load)
	u.await("all 2 ready")
	if answer := get(t, addr); !strings.HasSuffix(answer, " 1") {
		t.Error(answer)
	}
	file.set(fileOf(t, web("2", addr)), nil)
	u.signals <- syscall.SIGHUP
	u.await("reload: web-2: replaced, pid ")
	if answer := get(t, addr); !strings.HasSuffix(answer, " 2") {
		t.Error(answer)
	}
	file.set(fileOf(t, web("3", other)), nil)
	if _, err := u.reloads(); err != nil {
		t.Error(err)
	}
	if answer := get(t, other); !strings.HasSuffix(answer, " 3") {
		t.Error(answer)
	}
	if ln, err := listen(config.Listener{Network: "tcp", Address: addr}); err != nil {
		t.Error("the old socket is still open:", err)
	} else {
		ln.file.Close()
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

func TestReloadOfAHeldProcess(t *testing.T) {
	dir := t.TempDir()
	in := func(p *config.Process) { p.Dir = dir }
	file := &changing{file: fileOf(t, shellProcess("web", waits, in), shellProcess("db", waits, in))}
	u := startFrom(t, file.load)
	u.await("all 2 ready")
	if err := u.Stop(t.Context(), []string{"web"}, new(said).add); err != nil {
		t.Fatal(err)
	}
	file.set(fileOf(t, shellProcess("web", "echo changed; "+waits, in), shellProcess("db", waits, in)), nil)
	if text, err := u.reloads(); err != nil {
		t.Fatal(text, err)
	}
	if web := u.ps()["web"]; web.PID != 0 || web.State != lastcall.StateStopped {
		t.Errorf("%+v", web)
	}
	if err := u.Start(t.Context(), []string{"web"}, new(said).add); err != nil {
		t.Fatal(err)
	}
	u.await("changed")
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

func TestReloadOfProcesses(t *testing.T) {
	own := shellProcess("own", `trap 'echo again' HUP; `+waits, func(p *config.Process) { p.Reload.Signal = "HUP" })
	by := shellProcess("by", waits, func(p *config.Process) {
		p.Reload.Command = &config.Command{Shell: "echo told $LASTCALL_PID"}
	})
	u := start(t, fileOf(t, own, by))
	u.await("own +. hello")
	u.await("all 2 ready")
	before := pids(u)
	var s said
	if err := u.Reload(t.Context(), []string{"own", "by"}, s.add); err != nil {
		t.Fatal(err)
	}
	u.await("again")
	u.await("told [0-9]+")
	if now := pids(u); now["own"] != before["own"] || now["by"] != before["by"] {
		t.Errorf("before %v, now %v", before, now)
	}
}

func TestSomeOfTheFile(t *testing.T) {
	u := start(t, fileOf(t, shellProcess("db", waits), shellProcess("web", waits, after("db")), shellProcess("other", waits)),
		func(o *Options) { o.Only = []string{"web"} })
	u.await("all 2 ready")
	if len(u.ps()) != 2 {
		t.Errorf("%+v", u.ps())
	}
	if err := u.Start(t.Context(), []string{"other"}, new(said).add); err != nil {
		t.Fatal(err)
	}
	if u.ps()["other"].State != lastcall.StateReady {
		t.Errorf("%+v", u.ps())
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

func TestSchedule(t *testing.T) {
	nightly := shellProcess("nightly", "echo ran; exit 3", func(p *config.Process) { p.Schedule = "0 0 1 1 *" })
	u := start(t, fileOf(t, nightly, shellProcess("web", waits)))
	u.await("all 2 ready")
	if i := u.ps()["nightly"]; i.State != lastcall.StateReady || i.Next.IsZero() {
		t.Errorf("%+v", i)
	}
	err := u.Start(t.Context(), []string{"nightly"}, new(said).add)
	if err == nil || !strings.Contains(err.Error(), "exit code 3") {
		t.Error(err)
	}
	u.await("nightly +. ran")
	u.await("nightly: its run failed: .*exit code 3")
	if i := u.ps()["nightly"]; i.State != lastcall.StateReady || !strings.Contains(i.Detail, "exit code 3") {
		t.Errorf("%+v", i)
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

func TestDown(t *testing.T) {
	u := start(t, fileOf(t, shellProcess("web", waits)))
	u.await("hello")
	if err := u.Down(t.Context(), new(said).add); err != nil {
		t.Error(err)
	}
	if status := u.end(nil); status != 0 {
		t.Error(status, u.err)
	}
	u.await("stopping: requested: lastcall down")
	err := u.Stop(t.Context(), nil, new(said).add)
	if e := (*control.Error)(nil); !errors.As(err, &e) || e.Kind != control.KindLeaving {
		t.Error(err)
	}
}
