package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/internal/testset"
)

var (
	earlyTrials = flag.Int("early", 0, "`N` trials of a signal in the first 20 ms")
	orphans     = flag.Int("orphans", 0, "`N` orphans that die together")
)

// asPID1 is lastcall run as PID 1 of a namespace of its own, with its /proc.
func asPID1(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	link := filepath.Join(t.TempDir(), "lastcall")
	if err := os.Symlink(command("lastcall").Path, link); err != nil {
		t.Fatal(err)
	}
	options := []string{"--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Getuid() != 0 {
		options = append(options, "--user", "--map-root-user")
	}
	if out, err := exec.Command("unshare", append(options, "true")...).CombinedOutput(); err != nil {
		t.Skipf("no PID namespace here: unshare: %v %s", err, out)
	}
	return exec.Command("unshare", slices.Concat(options, []string{link, "run"}, args)...)
}

// onlyChild waits for the child of a process, and returns its number.
func onlyChild(t *testing.T, pid int) int {
	t.Helper()
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		if list := children(pid); len(list) > 0 {
			return list[0]
		}
	}
	t.Fatalf("waited %v for a child of %d", patience, pid)
	return 0
}

// children are those of all threads of a process.
func children(pid int) (list []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, name := range lists {
		text, _ := os.ReadFile(name)
		for _, field := range strings.Fields(string(text)) {
			n, _ := strconv.Atoi(field)
			list = append(list, n)
		}
	}
	return list
}

// Orphans that die together leave no zombie.
func TestRunReapsOrphans(t *testing.T) {
	count := *orphans
	if count == 0 {
		count = testset.Of(t, 200, 2000)
	}
	const atOnce = 200 // for which one waits
	script := fmt.Sprintf(`sh -c 'i=0; while [ $i -lt %d ]; do (read x <&3) & i=$((i+1)); [ $((i%%%d)) -ne 0 ] || echo made $i.; done'; exec sleep 1000 3<&-`, count, atOnce)
	for _, where := range []string{"subreaper", "PID 1"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			var cmd *exec.Cmd
			if where == "PID 1" {
				cmd = asPID1(t, "sh", "-c", script)
			} else {
				cmd = command("lastcall", "run", "sh", "-c", script)
			}
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.ExtraFiles = []*os.File{r}
			s := start(t, cmd)
			r.Close()
			t.Cleanup(func() { w.Close() })
			for n := atOnce; n <= count; n += atOnce {
				s.await(fmt.Sprintf("made %d.", n))
			}
			pid := cmd.Process.Pid
			if where == "PID 1" {
				pid = onlyChild(t, pid)
			}
			for limit := time.Now().Add(patience); len(children(pid)) != count+1; time.Sleep(5 * time.Millisecond) { // the last parent ends
				if time.Now().After(limit) {
					t.Fatalf("it has %d children after %v, want %d", len(children(pid)), patience, count+1)
				}
			}
			w.Close()
			began := time.Now()
			for len(children(pid)) > 1 {
				if time.Since(began) > patience {
					t.Fatalf("%d children are left after %v", len(children(pid)), patience)
				}
				time.Sleep(5 * time.Millisecond)
			}
			took := time.Since(began)
			t.Logf("%d orphans were told to end, had ended, and were reaped after %v", count, took)
			if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if got, _ := s.end(); got != 143 {
				t.Errorf("status %d", got)
			}
		})
	}
}

// A signal is not lost at whichever moment of the start it comes: the program gets it, or lastcall ends of it before there is one.
func TestRunLosesNoEarlySignal(t *testing.T) {
	trials := *earlyTrials
	if trials == 0 {
		trials = testset.Of(t, 8, 40)
	}
	for _, where := range []string{"not PID 1", "PID 1"} {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
			name := fmt.Sprintf("%s %v", where, sig)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				lost := 0
				for range trials {
					cmd := command("lastcall", "run", "--grace", "1h", "sleep", "1000")
					if where == "PID 1" {
						cmd = asPID1(t, "--grace", "1h", "sleep", "1000")
					}
					cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					pid := cmd.Process.Pid
					if where == "PID 1" {
						pid = onlyChild(t, pid)
						// Before it catches anything the kernel drops what is sent to a PID 1.
						awaitCaught(t, pid, sig)
					}
					time.Sleep(rand.N(20 * time.Millisecond))
					_ = syscall.Kill(pid, sig)
					ended := make(chan struct{})
					go func() { _ = cmd.Wait(); close(ended) }()
					select {
					case <-ended:
					case <-time.After(patience / 12):
						lost++
						_ = syscall.Kill(pid, syscall.SIGKILL)
						<-ended
					}
				}
				if lost > 0 {
					t.Errorf("%d of %d were lost", lost, trials)
				}
			})
		}
	}
}

// awaitCaught waits until a process has a handler for sig.
func awaitCaught(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, rest, _ := strings.Cut(string(text), "SigCgt:\t")
		mask, _ := strconv.ParseUint(strings.SplitN(rest, "\n", 2)[0], 16, 64)
		if mask&(1<<(sig-1)) != 0 {
			return
		}
	}
	t.Fatalf("waited %v until process %d catches %v", patience, pid, sig)
}

// What was ignored or blocked at the start is so in the program for tini, as far as the Go runtime leaves it to be seen. For dumb-init and
// lastcall run nothing is, but for the SIGHUP that nohup has ignored.
func TestRunInheritsDispositions(t *testing.T) {
	if exec.Command("env", "--ignore-signal=TTOU", "true").Run() != nil {
		t.Skip("env has no --ignore-signal here")
	}
	const hup, interrupt, ttou, ttin, usr1 = 1, 2, 1 << 21, 1 << 20, 1 << 9
	want := map[string][2]uint64{"lastcall": {0, hup}, "tini": {ttin | usr1, hup | interrupt | ttou}, "dumb-init": {0, 0}}
	for _, init := range inits {
		link := filepath.Join(t.TempDir(), init.name)
		if err := os.Symlink(command(init.name).Path, link); err != nil {
			t.Fatal(err)
		}
		args := slices.Concat([]string{"--ignore-signal=TTOU,INT,HUP", "--block-signal=TTIN,USR1", link}, init.args, []string{"grep", "^Sig[BI]", "/proc/self/status"})
		out, err := exec.Command("env", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", init.name, err, out)
		}
		var got [2]uint64
		if n, _ := fmt.Sscanf(string(out), "SigBlk: %x\nSigIgn: %x", &got[0], &got[1]); n != 2 || got != want[init.name] {
			t.Errorf("%s: blocked and ignored are %x, want %x\n%s", init.name, got, want[init.name], out)
		}
	}
}

// With lastcall_entry the program under tini has what the Go runtime takes away, too.
func TestTiniInheritsWhatTheRuntimeTakes(t *testing.T) {
	testset.OnlyLong(t, "it links the command with another entry point")
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" || exec.Command("env", "--ignore-signal=TTOU", "true").Run() != nil {
		t.Skip("env has no --ignore-signal here, or this processor no lastcall_entry")
	}
	tini := filepath.Join(t.TempDir(), "tini")
	build := exec.Command("go", "build", "-ldflags", "-E lastcall_entry", "-o", tini, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command("env", "--ignore-signal=TERM,USR1,PIPE,SEGV", "--block-signal=ILL,TERM", tini, "-s", "--", "cat", "/proc/self/status").Output()
	if err != nil || !strings.Contains(string(out), "SigBlk:\t0000000000004008\n") || !strings.Contains(string(out), "SigIgn:\t0000000000005600\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

// Signals that were ignored at the start are handed on all the same: the program may handle them.
func TestRunHandsOnWhatItWasToIgnore(t *testing.T) {
	if exec.Command("env", "--ignore-signal=HUP", "true").Run() != nil {
		t.Skip("env has no --ignore-signal here")
	}
	for _, init := range inits {
		link := filepath.Join(t.TempDir(), init.name)
		if err := os.Symlink(command(init.name).Path, link); err != nil {
			t.Fatal(err)
		}
		// A shell cannot trap what it was started to ignore, and Perl can.
		script := `$SIG{HUP} = $SIG{INT} = sub { print "got $_[0]\n" }; $SIG{USR1} = sub { exit 5 }; $| = 1; print "ready\n"; sleep 1 while 1`
		cmd := exec.Command("env", slices.Concat([]string{"--ignore-signal=INT,HUP", link}, init.args, []string{"perl", "-e", script})...)
		if _, err := exec.LookPath("perl"); err != nil {
			t.Skip("no perl")
		}
		s := start(t, cmd)
		s.await("ready")
		s.signal(syscall.SIGHUP)
		s.await("got HUP")
		s.signal(syscall.SIGINT)
		s.await("got INT")
		s.signal(syscall.SIGUSR1)
		if got, _ := s.end(); got != 5 {
			t.Errorf("%s: status %d\n%s", init.name, got, s.output())
		}
	}
}

// Where the originals are installed, they do the same.
func TestPersonalitiesAreLikeTheOriginals(t *testing.T) {
	testset.OnlyLong(t, "the default set does not depend on what is installed")
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	others := func(but int) (args []string) {
		for n := range 256 {
			if n != but {
				args = append(args, "-e", strconv.Itoa(n))
			}
		}
		return args
	}
	commands := map[string][][]string{
		"tini": {
			{"-s", "--", "sh", "-c", "echo out; echo err >&2; exit 7"}, {"-s", "-e", "7", "--", "sh", "-c", "exit 7"},
			append(others(9), "-s", "--", "sh", "-c", "exit 9"), append(others(9), "-s", "--", "sh", "-c", "exit 10"),
			{"-s", "--", "sh", "-c", "kill -USR1 $$"}, {"-s", "-e138", "--", "sh", "-c", "kill -USR1 $$"}, {"-s", "--", "sh", "-c", "kill -9 $$"},
			{"-s", "--", "nosuch"}, {"-s", "--", plain}, {"-s", "--", "/"}, {"-e", "256", "true"}, {"-e", "x", "true"}, {"-p", "NOPE", "true"},
			{"-p", "SIGKILL", "-s", "true"}, {"-z"}, {}, {"-h"}, {"-l"}, {"--version"}, {"-gs", "true"},
		},
		"dumb-init": {
			{"sh", "-c", "echo out; echo err >&2; exit 7"}, {"-c", "--", "sh", "-c", "exit 9"}, {"sh", "-c", "kill -TERM $$"}, {"-c", "sh", "-c", "kill -9 $$"},
			{"nosuch"}, {"--", "/nosuch"}, {"-c", "/nosuch"}, {"--single-child", "--", "/nosuch"}, {plain}, {"--yolo", "true"}, {}, {"-h"}, {"--help"}, {"-V"}, {"--version"},
			{"-r"}, {"-r", ""}, {"-r", "herp"}, {"-r", "herp:derp"}, {"-r", "15"}, {"-r", "15::12"}, {"-r", "15:derp"}, {"-r", "15:12", "-r"}, {"-r", "15:12", "-r", "0"},
			{"-r", "15:12", "-r", "1:32", "true"}, {"-r", "15:0", "true"}, {"sh", "-c", `[ "$(ps -o sid= $$)" -eq $$ ]; echo leads $?`},
			{"-c", "sh", "-c", `[ "$(ps -o sid= $$)" -eq $$ ]; echo leads $?`}, {"sh", "-c", "pwd; readlink /proc/$PPID/cwd"}, {"ls", "-d", "/"},
		},
	}
	for name, list := range commands {
		original, err := exec.LookPath(name)
		if err != nil {
			t.Logf("%s is not installed, so that nothing is compared with it", name)
			continue
		}
		for _, args := range list {
			if len(args) > 20 {
				t.Logf("%s: %d options", name, len(args))
			}
			theirs, theirOut, _ := outcome(exec.Command(original, args...))
			ours, ourOut, messages := outcome(command(name, args...))
			if ours != theirs {
				t.Errorf("%s %q: status %d, and the original's is %d\n%s", name, args, ours, theirs, messages)
			}
			texts := len(args) > 0 && slices.Contains([]string{"-h", "-l", "--version", "-V", "--help"}, args[0]) // in our own words
			if !texts && ourOut != theirOut {
				t.Errorf("%s %q: %q, and the original says %q", name, args, ourOut, theirOut)
			}
		}
	}
}

// outcome runs a command and returns its exit status, its output and its messages.
func outcome(cmd *exec.Cmd) (status int, out, messages string) {
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return 128 + int(ws.Signal()), stdout.String(), stderr.String()
	}
	return ws.ExitStatus(), stdout.String(), stderr.String()
}
