//go:build unix

package check

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// wrapper is what `npm start` does: it lets SIGINT pass, since the terminal sends it to its child as well, and waits for the child.
func wrapper([]string) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	child := exec.Command(os.Args[0])
	child.Env = lifeEnv("wait")
	must(0, child.Start())
	go func() {
		<-stop
		_ = child.Process.Signal(syscall.SIGTERM)
	}()
	_ = child.Wait()
}

// Ctrl-C reaches the whole foreground group, so that a program ends that waits for its child to end.
func TestIntIsCtrlC(t *testing.T) {
	onLinux(t)
	t.Parallel()
	c := lifeOf("wrapper")
	c.Only = []string{"int"}
	if v := run(t, c).result(t, "int"); v.Verdict != Pass {
		t.Errorf("%s: %s", v.Verdict, v.Summary)
	}
}

// The handler of a runtime is none of the program: what becomes of requests under way says whether that has one.
func TestRuntimesHandlerIsNoHandler(t *testing.T) {
	onLinux(t)
	t.Parallel()
	node := filepath.Join(t.TempDir(), "node")
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(node, text, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		life string
		web  bool
		want Verdict
		says string
	}{
		"cuts requests":    {"reraise", true, Fail, "as the handler of Node.js does by itself; 4 of 4 uploads"},
		"nothing is known": {"reraise", false, Warn, "as the handler of Node.js does by itself: whether"},
		"handles it":       {"serve", true, Pass, "exit code 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := lifeOf(test.life)
			c.Command = []string{node}
			if test.web {
				addr := freePort(t)
				c.Command, c.URL = append(c.Command, addr), "http://"+addr+"/"
			}
			v := run(t, c).result(t, "term")
			if v.Verdict != test.want || !strings.Contains(v.Summary, test.says) {
				t.Errorf("%s: %s; want %s with %q", v.Verdict, v.Summary, test.want, test.says)
			}
		})
	}
}
