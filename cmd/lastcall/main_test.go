package main

import (
	"testing"

	"github.com/lastcall-go/lastcall/internal/testset"
	"github.com/lastcall-go/lastcall/internal/testsignals"
	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what the test binary can be.
var commands = map[string]func(){"lastcall": main, "tini": main, "dumb-init": main, "healthy": healthy}

func TestMain(m *testing.M) { testscript.Main(tests{m}, commands) }

// tests are the tests, where this is not one of the commands.
type tests struct{ *testing.M }

func (m tests) Run() int {
	testset.TheyWait()
	testsignals.Default()
	return m.M.Run()
}

// The scripts run the real command as a process of its own, with real signals.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"await": await},
		Setup: func(env *testscript.Env) error {
			env.Setenv("LC_ALL", "C.UTF-8")
			env.Setenv("XDG_RUNTIME_DIR", env.WorkDir)
			return nil
		},
	})
}
