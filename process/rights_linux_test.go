package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall"
)

// rightsVariable makes the test binary a supervisor whose child is another user's: the value is a script of the shell.
const rightsVariable = "LASTCALL_TEST_RIGHTS"

func init() {
	lives[rightsVariable] = func(script string) {
		mask := 0o027
		p := &Process{
			Command: []string{"/bin/sh", "-c", script}, Umask: &mask, Nice: 1,
			Sys: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}, Setsid: true},
		}
		if err := p.Run(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
}

// shows is what a child of the shell says, line by line.
func shows(t *testing.T, p *Process, script string) []string {
	t.Helper()
	v := listen(t)
	p.Command, p.Stdout, p.Stderr = []string{"/bin/sh", "-c", script}, v.w, v.w
	noError(t, p.Run(t.Context()))
	v.silence(t)
	return v.all()
}

// What only root may do comes before the change of the user.
func TestOrderOfRights(t *testing.T) {
	cred := nobody(t)
	var old unix.Rlimit
	noError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	n := old.Max + 1
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: old.Cur, Max: n}, nil); err != nil {
		t.Logf("without a raised limit, which root may not have here: %v", err)
		n = 123
	} else {
		noError(t, unix.Prlimit(0, unix.RLIMIT_NOFILE, &old, nil))
	}
	p := &Process{Nice: -5, Limits: Limits{NoFile: n}, Sys: &syscall.SysProcAttr{Credential: cred, Setsid: true}}
	got := shows(t, p, `echo "$(id -u) $(id -g) $(id -G) $(nice) $(ulimit -n)"`)
	want := fmt.Sprintf("%d %d %[2]d -5 %[3]d", cred.Uid, cred.Gid, n)
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The parent-death signal outlasts the change of the user.
func TestDeathSignalOfAnotherUser(t *testing.T) {
	nobody(t)
	v := listen(t)
	above := script("").Command[0]
	p := &Process{Command: []string{above}, Setenv: []string{rightsVariable + "=echo $(id -u) pid $$; exec sleep 1000"}, Stdout: v.w, Kill: KillProcess}
	r := run(t, p, limit)
	pid := pidOf(t, v.value(t, "54321 pid "))
	noError(t, p.Signal(syscall.SIGKILL))
	errorAs[*ExitError](t, r.end())
	eventually(t, "the child has gone with its parent", func() bool { return !alive(pid) })
}

// A program that the user may neither read nor reach starts prepared children of that user.
func TestProgramThatTheUserMayNotRead(t *testing.T) {
	nobody(t)
	text, err := os.ReadFile(script("").Command[0])
	noError(t, err)
	for _, mode := range []os.FileMode{0o700, 0o711} {
		dir := filepath.Join(t.TempDir(), "private")
		noError(t, os.Mkdir(dir, 0o700))
		program := filepath.Join(dir, "program")
		noError(t, os.WriteFile(program, text, mode))
		cmd := exec.Command(program)
		cmd.Dir = "/" // the child may be there
		cmd.Env = append(os.Environ(), rightsVariable+`=echo "$(id -u) $(umask)"`, raceVariable)
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != "54321 0027\n" {
			t.Errorf("mode %v: %v, %q", mode, err, out)
		}
	}
}

// The variables that are meant for the child's program do nothing to this one, which has more rights.
func TestTrampolineDoesNotHeedTheEnvironment(t *testing.T) {
	p := &Process{Nice: 1, Setenv: []string{"GODEBUG=inittrace=1", "odd"}}
	got := shows(t, p, `echo "$GODEBUG $(tr '\0' '\n' </proc/self/environ | grep -c ^LASTCALL_TRAMPOLINE)"`)
	if len(got) != 1 || got[0] != "inittrace=1 0" {
		t.Errorf("got %q", got)
	}
}

// A launch that was cut short is not carried out, and the program is not what it was started as either.
func TestErrandCutShort(t *testing.T) {
	whole := (&launch{path: "/bin/sh", env: []string{"A=1", "B=2"}}).encode()
	if e, err := decodeLaunch(whole); err != nil || len(e.env) != 2 {
		t.Fatal(e, err)
	}
	for n := range len(whole) {
		if e, err := decodeLaunch(whole[:n]); err == nil {
			t.Fatalf("%q is taken for a launch: %+v", whole[:n], e)
		}
	}
	r, w, err := os.Pipe()
	noError(t, err)
	defer r.Close()
	w.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env, cmd.ExtraFiles = append(os.Environ(), trampolineVariable+"=3"), []*os.File{r}
	out, err := cmd.CombinedOutput()
	if e := errorAs[*exec.ExitError](t, err); e.ExitCode() != 127 || len(out) > 0 {
		t.Errorf("%v, %q", err, out)
	}
}

func TestNoNewPrivs(t *testing.T) {
	if got := strings.Join(shows(t, &Process{NoNewPrivs: true}, "grep NoNewPrivs /proc/self/status"), ""); got != "NoNewPrivs:\t1" {
		t.Errorf("got %q", got)
	}
	nobody(t)
	helper := filepath.Join(openDir(t), "id")
	text, err := os.ReadFile("/usr/bin/id")
	if err != nil {
		t.Skip(err)
	}
	noError(t, os.WriteFile(helper, text, 0o755)) //nolint:gosec // everyone runs it
	noError(t, os.Chmod(helper, 0o755|os.ModeSetuid))
	for _, no := range []bool{false, true} {
		p := &Process{NoNewPrivs: no, Sys: &syscall.SysProcAttr{Credential: nobody(t), Setsid: true}}
		got, want := shows(t, p, helper+" -u"), "0"
		if no {
			want = fmt.Sprint(p.Sys.Credential.Uid)
		}
		if !no && len(got) == 1 && got[0] != want {
			t.Skipf("set-user-ID programs do nothing in %s: the file system may be mounted nosuid", filepath.Dir(helper))
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("with NoNewPrivs %t a set-user-ID program runs as %q, want %s", no, got, want)
		}
	}
}

func TestCapabilities(t *testing.T) {
	cred := nobody(t)
	bind, err := ParseCapability("cap_net_bind_service")
	noError(t, err)
	for _, test := range []struct {
		name string
		list []Capability
		cred *syscall.Credential
		want string // CapInh CapPrm CapEff CapBnd CapAmb
	}{
		{"root with one", []Capability{bind}, nil, "0000 0400 0400 0400 0000"},
		{"root with none", []Capability{}, nil, "0000 0000 0000 0000 0000"},
		{"nobody", []Capability{bind}, cred, "0000 0000 0000 0400 0000"},
	} {
		p := &Process{Capabilities: test.list, Sys: &syscall.SysProcAttr{Credential: test.cred}}
		got := shows(t, p, `sed -n 's/^Cap.*000000000000\(....\)$/\1/p' /proc/self/status | tr '\n' ' '`)
		if text := strings.TrimSpace(strings.Join(got, "")); text != test.want {
			t.Errorf("%s: %s, want %s", test.name, text, test.want)
		}
	}
	for _, name := range Capabilities() {
		if c, err := ParseCapability(name); err != nil || c.String() != name {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
	if _, err := ParseCapability("NET_BIND"); err == nil {
		t.Error("NET_BIND is a capability")
	}
}

// Who is not root cannot drop a capability from the bounding set, and is told so.
func TestCapabilitiesOfAUser(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may do it")
	}
	err := errorAs[*StartError](t, (&Process{Command: []string{"true"}, Capabilities: []Capability{}}).Run(t.Context()))
	if !errors.Is(err, syscall.EPERM) || !strings.Contains(err.Error(), "capabilities: ") {
		t.Errorf("got %v", err)
	}
}

func TestNumberOfProcesses(t *testing.T) {
	nobody(t)
	cred := &syscall.Credential{Uid: 54320, Gid: 54320} // nobody else's
	for n, want := range map[uint64]bool{1: false, 10: true} {
		p := &Process{Limits: Limits{NProc: n}, Sys: &syscall.SysProcAttr{Credential: cred, Setsid: true}}
		v := listen(t)
		p.Command, p.Stdout, p.Stderr = []string{"/bin/sh", "-c", "(:) && echo forked"}, v.w, v.w
		err := p.Run(t.Context())
		v.silence(t)
		if got := strings.Join(v.all(), " ") == "forked"; got != want {
			t.Errorf("with %d: %v, %q", n, err, v.all())
		}
	}
}

// The errors of the start say which right was refused.
func TestRightsRefused(t *testing.T) {
	for _, p := range []*Process{
		{Capabilities: []Capability{63}},
		{Limits: Limits{NProc: 1}, Sys: &syscall.SysProcAttr{Chroot: "/"}},
	} {
		p.Command = []string{"true"}
		if p.problems() == nil {
			t.Errorf("no problem with %v", p)
		}
	}
	p := &Process{Command: []string{"true"}, Nice: 1, Dir: "/nonexistent"}
	if err := errorAs[*StartError](t, p.Run(t.Context())); !strings.Contains(err.Error(), "chdir /nonexistent") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if os.Geteuid() != 0 {
		p = &Process{Command: []string{"true"}, Nice: 1, Sys: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1}}}
		if err := errorAs[*StartError](t, p.Run(t.Context())); !errors.Is(err, syscall.EPERM) {
			t.Errorf("got %v", err)
		}
	}
}

// A child that is prepared and has a user can be stopped and is ready like any other.
func TestPreparedUserStops(t *testing.T) {
	cred := nobody(t)
	mask := 0o022
	p := &Process{
		Command: []string{"/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"}, Umask: &mask, Dir: "/",
		Ready: Ready{Exec: []string{"true"}}, Sys: &syscall.SysProcAttr{Credential: cred, Setsid: true},
	}
	r := run(t, p, time.Minute).until(lastcall.StateReady)
	noError(t, r.stop())
}
