package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/check"
)

var checkFully = flag.Bool("check.full", false, "check lastcall's own commands as lastcall check does without --quick")

// lastcall's own commands stop well by their own check: nothing of it is a warning, and nothing is left out. A scenario that is not
// passed is played again, and the majority counts: the machine may be busy beyond what the commands' own limits allow.
func TestCheckPassesItsOwn(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped with -short: it takes half a minute for each command")
	}
	if raced && !*checkFully {
		t.Skip("skipped under the race detector, which the other tests of the commands run under")
	}
	t.Parallel()
	for name, of := range map[string]func(t *testing.T, addr string) (command []string, url string){
		"demo": func(_ *testing.T, addr string) ([]string, string) {
			return []string{"lastcall", "demo", "--listen", addr, "--clients", "0", "--lame-duck", "200ms"}, "/orders"
		},
		"run": func(_ *testing.T, addr string) ([]string, string) {
			return []string{"lastcall", "run", "healthy", "-listen", addr, "-lame-duck", "200ms"}, "/"
		},
		"up": func(t *testing.T, addr string) ([]string, string) {
			return up(t, "command: [healthy, -lame-duck, 200ms, -listen, %[1]q]", addr), "/"
		},
		"up with a held socket": func(t *testing.T, addr string) ([]string, string) {
			return up(t, "command: [healthy, -lame-duck, 200ms]\n    listen: {http: %[1]q}", addr), "/"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time they wait
			addr := freeAddr(t)
			command, path := of(t, addr)
			c := &check.Check{
				Command: command,
				Env: append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir(), "TMPDIR="+t.TempDir(),
					"GORACE=atexit_sleep_ms=0"), // else each stop takes a second longer under the race detector
				URL:   "http://" + addr + path,
				Ready: "http://" + addr + "/readyz",
				Grace: time.Minute, // the machine may be busy with other tests
				Quick: !*checkFully,
			}
			report, err := c.Run(t.Context())
			if err != nil {
				t.Fatalf("%v\n%s", err, outputOf(err))
			}
			if len(report.Results) != len(check.Scenarios()) {
				t.Errorf("%d scenarios were played, want all %d", len(report.Results), len(check.Scenarios()))
			}
			for i := range report.Results {
				result := &report.Results[i]
				text := &strings.Builder{}
				_ = result.WriteText(text)
				switch {
				case result.Verdict == check.Pass:
					t.Logf("%s: %s", result.Scenario, result.Summary)
				case result.Verdict == check.Skip && slices.Contains([]string{"pid1", "stream", "reload", "log"}, result.Scenario):
					t.Log(text) // not everybody may make a namespace; these programs have no stream, no reload and no log of requests
				case passesAgain(t, c, result.Scenario):
					t.Log(text)
				default:
					t.Errorf("%s", text)
				}
			}
		})
	}
}

// passesAgain reports whether a scenario that was not passed once is passed twice.
func passesAgain(t *testing.T, c *check.Check, scenario string) bool {
	t.Helper()
	once := *c
	once.Only = []string{scenario}
	for range 2 {
		report, err := once.Run(t.Context())
		if err != nil || len(report.Results) != 1 || report.Results[0].Verdict != check.Pass {
			return false
		}
	}
	return true
}

// up is lastcall up of one process, which is written with %[1]q in place of its address.
func up(t *testing.T, process, addr string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lastcall.yaml")
	text := fmt.Sprintf("processes:\n  web:\n    "+process+"\n    ready: {http: \"http://%[1]s/readyz\"}\n", addr)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"lastcall", "up", "-f", file}
}

// freeAddr is an address that nobody listened on a moment ago. The system does not give it to connections that are made without
// asking for a port.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func outputOf(err error) string {
	if e, ok := err.(*check.StartError); ok {
		return e.Output
	}
	return ""
}
