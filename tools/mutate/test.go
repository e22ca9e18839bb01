package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// tester runs the tests of some packages against a change.
type tester struct {
	scratch, root, tags string
	packages            []listed
	args                []string
	limit               time.Duration
}

// try runs the tests against a change, or without one, and returns what they wrote.
func (t *tester) try(c *change) (verdict, []byte) {
	overlay := filepath.Join(t.scratch, "overlay.json")
	if err := t.write(overlay, c); err != nil {
		return noBuild, []byte(err.Error())
	}
	for _, p := range t.packages {
		if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
			continue
		}
		binary := filepath.Join(t.scratch, "tests")
		build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-tags="+t.tags, "-o", binary, p.ImportPath)
		build.Dir = t.root
		if out, err := build.CombinedOutput(); err != nil {
			return noBuild, out
		}
		if v, out := t.run(binary, p.Dir); v != survived {
			return v, out
		}
	}
	return survived, nil
}

// write makes the overlay that has the change in it.
func (t *tester) write(overlay string, c *change) error {
	var of struct{ Replace map[string]string }
	of.Replace = map[string]string{}
	if c != nil {
		source, err := os.ReadFile(c.file)
		if err != nil {
			return err
		}
		changed := filepath.Join(t.scratch, "changed.go")
		if err := os.WriteFile(changed, c.apply(source), 0o600); err != nil {
			return err
		}
		of.Replace[c.file] = changed
	}
	text, err := json.Marshal(of)
	if err != nil {
		return err
	}
	return os.WriteFile(overlay, text, 0o600)
}

// run runs a test binary within the limit, and ends all that it leaves. A change may make it fill the memory, so its share
// of that is limited, too.
func (t *tester) run(binary, dir string) (verdict, []byte) {
	args := append([]string{fmt.Sprintf("-test.timeout=%v", t.limit)}, t.args...)
	cmd := exec.Command(binary, args...)
	if runtime.GOOS == "linux" {
		cmd = exec.Command("sh", append([]string{"-c", `ulimit -v 8000000; exec "$@"`, "sh", binary}, args...)...)
	}
	out := &first{most: 64 << 10}
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 5 * time.Second // for what holds its output open
	if err := cmd.Start(); err != nil {
		return noBuild, []byte(err.Error())
	}
	kill := func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	began := time.Now()
	timer := time.AfterFunc(t.limit+2*time.Second, kill) // where the binary's own limit does not end it
	err := cmd.Wait()
	took := time.Since(began)
	timer.Stop()
	kill()
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return survived, out.kept
	case took >= t.limit:
		return timedOut, out.kept
	}
	return killed, out.kept
}

// first keeps the first bytes of what is written.
type first struct {
	kept []byte
	most int
}

func (f *first) Write(b []byte) (int, error) {
	f.kept = append(f.kept, b[:min(len(b), f.most-len(f.kept))]...)
	return len(b), nil
}
