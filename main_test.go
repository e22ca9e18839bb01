package lastcall_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/lastcall-go/lastcall/internal/testsignals"
)

// daemonVariable names the daemon that the test binary is to be, in place of running tests: the tests that need a real
// process need no other program, and a test binary that was built for another system has its daemons with it.
const daemonVariable = "LASTCALL_TEST_DAEMON"

// daemons are added by the files whose tests start them.
var daemons = map[string]func(){}

func TestMain(m *testing.M) {
	name := os.Getenv(daemonVariable)
	if name == "" {
		testsignals.Default()
		os.Exit(m.Run())
	}
	daemon, ok := daemons[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "no daemon %q in the tests\n", name)
		os.Exit(99)
	}
	daemon()
	os.Exit(98) // Main does not return
}
