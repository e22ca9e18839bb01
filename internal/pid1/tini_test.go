//go:build unix

package pid1

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestTiniWarns(t *testing.T) {
	const notReaper = "zombie reaping won't work"
	for _, test := range []struct {
		env, args []string
		warns     bool
	}{
		{nil, nil, true},
		{nil, []string{"-s"}, false},
		{[]string{"TINI_SUBREAPER="}, nil, false},
		{[]string{"TINI_VERBOSITY=0"}, nil, false},
		{[]string{"TINI_VERBOSITY=0"}, []string{"-vvv"}, false}, // the variable is read last
	} {
		got := as(t, test.env, append(append([]string{"tini"}, test.args...), "true")...)
		if strings.Contains(got.errors, notReaper) != test.warns || got.status != 0 {
			t.Errorf("%v tini %v: status %d\n%s", test.env, test.args, got.status, got.errors)
		}
	}
}

// Children that it has from before it was started are reaped without -s, and -w says so.
func TestTiniReapsWhatItInherited(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("package process reaps such children on Linux only")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "tini")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	// The program ends when it is the only child of tini that is left.
	const alone = `until [ "$(cat /proc/$PPID/task/*/children)" = "$$ " ]; do sleep 0.01; done; echo alone`
	script := `true & exec "$0" -w -- sh -c '` + alone + `'`
	got := run(t, exec.Command("sh", "-c", script, link))
	if got.status != 0 || got.out != "alone\n" || !regexp.MustCompile(`\[WARN  tini \(\d+\)\] Reaped zombie process with pid=\d+\n`).MatchString(got.errors) {
		t.Errorf("status %d, %q\n%s", got.status, got.out, got.errors)
	}
}

// -p is the signal that tini gets when its own parent dies, and hands on.
func TestTiniDiesWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this system tells nobody that its parent has died")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "tini")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if err := syscall.Mkfifo("up", 0o600); err != nil {
		t.Fatal(err)
	}
	const program = `trap "echo got USR1; exit 0" USR1; echo >up; while :; do sleep 0.01; done`
	got := run(t, exec.Command("sh", "-c", `"$0" -p SIGUSR1 -- sh -c '`+program+`' & read up <up`, link))
	if got.out != "got USR1\n" {
		t.Errorf("%q\n%s", got.out, got.errors)
	}
}

// What tini says on standard output at higher verbosity.
func TestTiniSaysWhatItDoes(t *testing.T) {
	got := as(t, nil, "tini", "-s", "-vv", "--", "sh", "-c", "kill -USR1 $PPID; while :; do sleep 0.01; done")
	said := regexp.MustCompile(`\(\d+\)|'\d+'`).ReplaceAllString(got.out, "N")
	want := "[INFO  tini N] Spawned child process 'sh' with pid N\n[DEBUG tini N] Passing signal: 'user defined signal 1'\n" +
		"[DEBUG tini N] Reaped child with pid: N\n[INFO  tini N] Main child exited with signal (with signal 'user defined signal 1')\n"
	if said != want || got.status != 128+int(syscall.SIGUSR1) {
		t.Errorf("status %d\n%s\nwant\n%s", got.status, said, want)
	}
}

// An empty command and what cannot be run end as with the originals.
func TestOriginalsOfWhatCannotRun(t *testing.T) {
	for _, test := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"tini", ""}, 127, "exec  failed: No such file or directory"},
		{[]string{"tini", "/nosuch"}, 127, "exec /nosuch failed: No such file or directory"},
		{[]string{"tini", "/"}, 126, "exec / failed: Permission denied"},
		{[]string{"dumb-init", ""}, 2, "[dumb-init] : No such file or directory"},
		{[]string{"dumb-init", "/nosuch"}, 2, "[dumb-init] /nosuch: No such file or directory"},
	} {
		if got := as(t, nil, test.args...); got.status != test.status || !strings.Contains(got.errors, test.says) {
			t.Errorf("%q: status %d, want %d, and %q in\n%s", test.args, got.status, test.status, test.says, got.errors)
		}
	}
}
