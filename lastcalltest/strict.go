package lastcalltest

import (
	"context"

	"github.com/lastcall-go/lastcall/internal/strict"
)

// Strict makes a call of lastcall's functions with a context that comes from no worker panic, from now on and in the
// whole test binary, so it is called in TestMain:
//
//	func TestMain(m *testing.M) {
//		lastcalltest.Strict()
//		os.Exit(m.Run())
//	}
//
// Without it [lastcall.Ready], Unready and Status do nothing there, [lastcall.Do] does not count, and [lastcall.Grace]
// returns the context itself. That is what the test of a handler alone needs, see [NoWorker], and hides mistakes
// elsewhere: Ready with context.Background(), or Do with the context of a request that no server of package serve has
// made. Sleep needs no worker.
func Strict() { strict.Enable() }

// NoWorker returns a context with which lastcall's functions do not panic after [Strict], for tests of a function
// outside a group.
func NoWorker(ctx context.Context) context.Context { return strict.Allow(ctx) }
