//go:build unix

package check

import (
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Code scanning finds a rule for each result, a level that it knows, and a location that is a URI.
func TestSARIF(t *testing.T) {
	for name, report := range samples() {
		var log struct {
			Version string
			Runs    []struct {
				Tool struct {
					Driver struct {
						Name  string
						Rules []struct{ ID, HelpURI string }
					}
				}
				Results []struct {
					RuleID, Level string
					Message       struct{ Text string }
					Locations     []struct {
						PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
					}
				}
			}
		}
		text := written(t, "sarif", report)
		if err := json.Unmarshal([]byte(text), &log); err != nil || log.Version != "2.1.0" || len(log.Runs) != 1 {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		rules := map[string]bool{}
		for _, r := range log.Runs[0].Tool.Driver.Rules {
			rules[r.ID] = strings.HasSuffix(r.HelpURI, "findings.md#"+strings.ToLower(r.ID))
		}
		want := 0
		for _, one := range report.Results {
			if one.Verdict == Fail || one.Verdict == Warn {
				want++
			}
		}
		if len(log.Runs[0].Results) != want {
			t.Errorf("%s: %d results, want %d", name, len(log.Runs[0].Results), want)
		}
		for _, r := range log.Runs[0].Results {
			where := r.Locations[0].PhysicalLocation.ArtifactLocation.URI
			if _, err := url.Parse(where); err != nil || where == "" || r.Message.Text == "" || strings.ContainsAny(r.RuleID, "\x1b\x00\n") || r.Level != "error" && r.Level != "warning" || name != "hostile" && !rules[r.RuleID] {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

// A failure that an earlier report has is a warning; the same scenario may still fail for another reason.
func TestBaseline(t *testing.T) {
	t.Parallel()
	before := &Report{Results: []Result{{Scenario: "term", Verdict: Fail, Code: codeNoHandler}, {Scenario: "int", Verdict: Warn, Code: codeBadStatus}}}
	c := &Check{Command: []string{"/bin/sh", "-c", "trap 'exit 3' INT; echo up; while :; do sleep 1000 & wait $!; done"}, Ready: "log:up", Only: []string{"term", "int"}, Baseline: before}
	report := run(t, c)
	if v := report.result(t, "term"); v.Verdict != Warn || !strings.HasPrefix(v.Summary, "known: died of SIGTERM") || v.Code != codeNoHandler {
		t.Errorf("term: %+v", v)
	}
	if v := report.result(t, "int"); v.Verdict != Fail || v.Code != codeBadStatus {
		t.Errorf("int was only a warning before: %+v", v)
	}
	before.Results[0].Code = codeHangs
	if v := run(t, c).result(t, "term"); v.Verdict != Fail {
		t.Errorf("term failed for another reason before: %+v", v)
	}
}

// An operator reads which signal is the graceful one of a program that is known, and which others an unknown one handles.
func TestHint(t *testing.T) {
	onLinux(t)
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	text, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	nginx := filepath.Join(t.TempDir(), "nginx")
	if err := os.WriteFile(nginx, text, 0o755); err != nil {
		t.Fatal(err)
	}
	start := func(name string, args ...string) int {
		cmd := exec.Command(name, args...)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		if name == "/bin/sh" {
			_, _ = out.Read(make([]byte, 8)) // the traps are set
		}
		return cmd.Process.Pid
	}
	pid := start(nginx, "1000")
	contains(t, "the hint for nginx", hint(pid, syscall.SIGTERM), "nginx stops gracefully on SIGQUIT: try --signal QUIT", "KillSignal=SIGQUIT")
	if got := hint(pid, syscall.SIGQUIT); got != "" {
		t.Errorf("a hint for the graceful signal: %q", got)
	}
	pid = start("/bin/sh", "-c", "trap : QUIT USR1; echo up; kill -STOP $$")
	contains(t, "the hint for a shell", hint(pid, syscall.SIGTERM), "SIGQUIT, ", "SIGUSR1")
	for script, want := range map[string]string{
		"echo up; sleep 1000; :":                     "below a shell (" + shellName(t) + ") that forwards no signal: begin the shell's last command with exec",
		"trap 'exit 0' TERM; echo up; sleep 1000; :": "with a trap: a shell runs its trap only when the command in the foreground has ended",
	} {
		pid = start("/bin/sh", "-c", script)
		await(t, "the shell has started its command", func() bool {
			all := descendants(pid)
			return len(all) > 0 && all[0].Name == "sleep"
		})
		contains(t, "the hint for "+script, hint(pid, syscall.SIGTERM), "The daemon is sleep, ", want)
		for _, p := range descendants(pid) {
			t.Cleanup(func() { _ = syscall.Kill(p.PID, syscall.SIGKILL) })
		}
	}
	if got := hint(start(sleep, "1000"), syscall.SIGTERM); got != "" {
		t.Errorf("a hint for a program without handlers: %q", got)
	}
}

// shellName is what /bin/sh is.
func shellName(t *testing.T) string {
	t.Helper()
	name, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(name)
}
