package supervisor

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

// nofileVariable is the number of descriptors that the test binary gives itself.
const nofileVariable = "SUPERVISOR_TEST_NOFILE"

// limitedTo runs a test in a process of its own that may have so many descriptors. It reports whether this is that process.
func limitedTo(t *testing.T, descriptors int) bool {
	t.Helper()
	if text := os.Getenv(nofileVariable); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			t.Fatal(err)
		}
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), nofileVariable+"="+strconv.Itoa(descriptors))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("with %d descriptors: %v\n%s", descriptors, err, out)
	}
	return false
}

// useUp leaves no descriptor to open, also none that is closed from now on, and returns what takes that back.
func useUp(t *testing.T) (giveBack func()) {
	t.Helper()
	var before syscall.Rlimit
	set := func(l syscall.Rlimit) {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	set(syscall.Rlimit{Cur: 3, Max: before.Max}) // the standard files are open
	return func() { set(before) }
}

// openedLater are what a look at /proc has for a moment, and what this program opens once, when it first needs it.
const openedLater = 4

// awaitDescriptors waits until no more descriptors are open than before, which is not at once: a pipe is closed by the goroutine that
// reads it.
func awaitDescriptors(t *testing.T, before int) {
	t.Helper()
	for limit := deadline(t); openDescriptors() > before+openedLater; {
		limit("%d descriptors are open, and %d were before", openDescriptors(), before)
	}
}

// A scale for which there is no room is refused before anything is made, and says of what there is too little.
func TestScaleBeyondTheDescriptors(t *testing.T) {
	if !limitedTo(t, 80) {
		return
	}
	web := shellProcess("web", waits, func(p *config.Process) { p.Instances = 1 })
	u := start(t, fileOf(t, web, shellProcess("db", waits)))
	u.await("all 2 ready")
	before, open := pids(u), openDescriptors()
	err := u.Scale(t.Context(), map[string]int{"web": 100}, new(said).add)
	if e := (*control.Error)(nil); !errors.As(err, &e) || e.Kind != control.KindStart ||
		!strings.HasPrefix(e.Text, "web: no room for 99 instances more, only for ") || !strings.Contains(e.Text, "they need 297 file descriptors, and ") ||
		!strings.Contains(e.Text, "RLIMIT_NOFILE is 80") {
		t.Errorf("%v", err)
	}
	if now := pids(u); len(now) != len(before) || now["db"] != before["db"] || now["web"] != before["web"] {
		t.Errorf("before %v, now %v", before, now)
	}
	awaitDescriptors(t, open)
	if err := u.Scale(t.Context(), map[string]int{"web": 3}, new(said).add); err != nil {
		t.Error(err)
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

// The file is refused likewise, at the start and at a reload, where nothing is touched.
func TestFileBeyondTheDescriptors(t *testing.T) {
	if !limitedTo(t, 80) {
		return
	}
	web := func(n int) *config.Process {
		return shellProcess("web", waits, func(p *config.Process) { p.Dir, p.Instances = os.TempDir(), n })
	}
	tooMany := fileOf(t, web(100))
	if _, err := New(Options{Load: func() (*config.File, error) { return tooMany, nil }, Out: os.Stdout, Socket: t.TempDir() + "/s"}); err == nil || !strings.Contains(err.Error(), "web: no room for 100 instances") {
		t.Error(err)
	}
	file := &changing{file: fileOf(t, web(1))}
	u := startFrom(t, file.load)
	u.await("all 1 ready")
	before, open := pids(u), openDescriptors()
	for _, next := range []*config.File{tooMany, fileOf(t, web(1), shellProcess("many", waits, func(p *config.Process) { p.Instances = 100 }))} {
		file.set(next, nil)
		if _, err := u.reloads(); err == nil || !strings.Contains(err.Error(), ": no room for ") {
			t.Error(err)
		}
	}
	if now := pids(u); len(now) != 1 || now["web"] != before["web"] {
		t.Errorf("before %v, now %v", before, now)
	}
	awaitDescriptors(t, open)
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

// Where no descriptor is left, new instances are all given back, and a process that has to start again waits for one: neither it nor any
// other is stopped for that.
func TestOutOfDescriptors(t *testing.T) {
	if !limitedTo(t, 80) {
		return
	}
	web := shellProcess("web", waits, func(p *config.Process) { // a probe that cannot be started says nothing of it
		p.Instances = 1
		p.Liveness = config.Check{Exec: &config.Command{Args: []string{"/bin/true"}}, Every: 10 * time.Millisecond, Failures: 1}
	})
	hooked := shellProcess("hooked", waits, func(p *config.Process) { p.Hooks.BeforeStart = &config.Command{Shell: "true"} })
	u := start(t, fileOf(t, web, shellProcess("db", waits), hooked))
	u.await("all 3 ready")
	before, open := pids(u), openDescriptors()

	u.mu.Lock()
	def := u.programs["web"].def
	u.mu.Unlock()
	if list, err := u.newInstances(def, freeNumbers(u.programs["web"].instances, 99)); !errors.Is(err, syscall.EMFILE) || list != nil {
		t.Errorf("%d instances, %v", len(list), err)
	}
	awaitDescriptors(t, open)

	giveBack := useUp(t)
	defer giveBack()
	restarted := make(chan error, 2) // two results
	for _, name := range []string{"db", "hooked"} {
		go func() { restarted <- u.Restart(t.Context(), []string{name}, new(said).add) }()
		u.await(name + ": .*too many open files; retrying until there is room")
	}
	if i := u.ps()["web"]; i.PID != before["web"] || i.State != lastcall.StateReady {
		t.Errorf("web was %d: %+v", before["web"], i)
	}
	select {
	case err := <-restarted:
		t.Errorf("restarted without a descriptor: %v", err)
	default:
	}
	giveBack()
	for range 2 {
		if err := <-restarted; err != nil {
			t.Error(err)
		}
	}
	u.await(`(?s)db: ready.*db: ready`) // a number may be used again
	u.await(`(?s)hooked: ready.*hooked: ready`)
	if now := pids(u); now["web"] != before["web"] || now["db"] == 0 || now["hooked"] == 0 {
		t.Errorf("before %v, now %v", before, now)
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

// A stop does not wait for a descriptor that a start waits for.
func TestStopOfWhatWaitsForADescriptor(t *testing.T) {
	if !limitedTo(t, 80) {
		return
	}
	u := start(t, fileOf(t, shellProcess("db", waits), shellProcess("web", waits)))
	u.await("all 2 ready")
	defer useUp(t)()
	go func() { _ = u.Restart(t.Context(), []string{"db"}, new(said).add) }()
	u.await("db: .*retrying until there is room")
	if status := u.end(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d, %v", status, u.err)
	}
}

// A stop finds and ends a whole family also without a descriptor to look with.
func TestStopOfAFamilyWithoutDescriptors(t *testing.T) {
	if !limitedTo(t, 80) {
		return
	}
	left := t.TempDir() + "/left"
	web := shellProcess("web", "setsid sleep 1000 & setsid sh -c 'sleep 1000 & sleep 1000' & echo $! > "+left+"; "+waits)
	u := start(t, fileOf(t, web))
	u.await("web +. hello")
	u.await("all 1 ready")
	text, err := os.ReadFile(left)
	if err != nil {
		t.Fatal(err)
	}
	for { // all that are left, and none beyond the limit: a spare one that is closed can be opened again
		if _, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0); errors.Is(err, syscall.EMFILE) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if status := u.end(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d, %v", status, u.err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	})
	// It leads a session, or is gone; what is dead is reaped a moment later.
	for limit := deadline(t); !errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH); {
		limit("its group of %d is still there", pid)
	}
}
