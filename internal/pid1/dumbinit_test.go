//go:build unix

package pid1

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// numbers are those of processes, which differ from run to run.
var numbers = regexp.MustCompile(`PID \d+`)

func lines(text string) string { return strings.TrimSpace(numbers.ReplaceAllString(text, "PID N")) }

// What dumb-init says under -v, in its order.
func TestDumbInitSaysWhatItDoes(t *testing.T) {
	child := func(how, status string) string {
		return strings.Join([]string{
			"[dumb-init] Child spawned with PID N.", "[dumb-init] Received signal 17.", "[dumb-init] A child with PID N " + how,
			"[dumb-init] Forwarded signal 15 to children.", "[dumb-init] Child exited with status " + status + ". Goodbye.",
		}, "\n")
	}
	if syscall.SIGCHLD != 17 {
		t.Skip("the numbers are Linux's")
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-v", "-c", "true"}, child("exited with exit status 0.", "0")},
		{[]string{"-c", "--verbose", "sh", "-c", "exit 7"}, child("exited with exit status 7.", "7")},
		{[]string{"-v", "-c", "sh", "-c", "kill -9 $$"}, child("was terminated by signal 9.", "137")},
		{[]string{"-v", "true"}, "[dumb-init] setsid complete.\n" + child("exited with exit status 0.", "0")},
		{[]string{"true"}, ""},
	} {
		if got := as(t, nil, append([]string{"dumb-init"}, test.args...)...); lines(got.errors) != test.want {
			t.Errorf("%q says\n%s\nwant\n%s", test.args, got.errors, test.want)
		}
	}
	got := as(t, []string{"DUMB_INIT_DEBUG=1"}, "dumb-init", "-c", "-r", "15:0", "sh", "-c", "trap 'exit 0' USR1; kill -TERM $PPID; kill -USR1 $PPID; while :; do sleep 0.01; done")
	for _, want := range []string{"Received signal 15.", "Not forwarding signal 15 to children (ignored).", "Received signal 10.", "Forwarded signal 10 to children."} {
		if !strings.Contains(got.errors, "[dumb-init] "+want+"\n") {
			t.Errorf("no %q in\n%s", want, got.errors)
		}
	}
}

// dumb-init goes to the root directory, and its program stays where it is.
func TestDumbInitKeepsNoDirectory(t *testing.T) {
	if _, err := os.Readlink("/proc/self/cwd"); err != nil {
		t.Skip(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, single := range []string{"0", "1"} {
		got := as(t, []string{"DUMB_INIT_SETSID=" + single}, "dumb-init", "sh", "-c", "readlink /proc/$PPID/cwd && readlink /proc/$$/cwd && pwd")
		if want := "/\n" + dir + "\n" + dir + "\n"; got.out != want {
			t.Errorf("%q, want %q\n%s", got.out, want, got.errors)
		}
	}
}

// What the rest of the session gets when the program has ended is rewritten like any other SIGTERM.
func TestDumbInitRewritesItsLastSignal(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := syscall.Mkfifo("up", 0o600); err != nil {
		t.Fatal(err)
	}
	const rest = `sh -c 'trap "echo got TERM; exit" TERM; trap "echo got USR1; exit" USR1; echo >up; while :; do sleep 0.01; done' & read up <up`
	for rewrite, want := range map[string]string{"15:10": "got USR1\n", "15:15": "got TERM\n"} {
		if syscall.SIGUSR1 != 10 {
			t.Skip("the numbers are Linux's")
		}
		if got := as(t, nil, "dumb-init", "-r", rewrite, "sh", "-c", rest); got.out != want {
			t.Errorf("-r %s: %q, want %q", rewrite, got.out, want)
		}
	}
}
