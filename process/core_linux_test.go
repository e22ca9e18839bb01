package process

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A real core dump is told apart from death by a signal without one.
func TestCoreDump(t *testing.T) {
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	noError(t, err)
	if strings.HasPrefix(string(pattern), "|") || strings.Contains(string(pattern), "/") {
		t.Skipf("core_pattern is %q, so cores do not go to the directory of this test", pattern)
	}
	var hard syscall.Rlimit
	noError(t, syscall.Getrlimit(syscall.RLIMIT_CORE, &hard))
	if hard.Max < 64<<20 {
		t.Skipf("the hard limit of core dumps is %d bytes", hard.Max)
	}
	for _, size := range []uint64{64 << 20, 0} {
		dir := t.TempDir()
		p := &Process{Command: []string{"sleep", "1000"}, Dir: dir, Limits: Limits{Core: &size}}
		r := run(t, p, 5*time.Second)
		eventually(t, "it runs", func() bool { return p.PID() != 0 })
		noError(t, p.Signal(syscall.SIGSEGV))
		e := errorAs[*ExitError](t, r.end())
		files, err := filepath.Glob(dir + "/*")
		noError(t, err)
		if e.Signal != syscall.SIGSEGV || e.Core != (size > 0) || len(files) > 0 != e.Core {
			t.Errorf("with %d bytes of core: %v, core %v, files %v", size, e, e.Core, files)
		}
	}
}
