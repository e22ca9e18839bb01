// Package strict lets tests find calls of lastcall's functions with a context that comes from no worker. Outside a
// group these functions do little or nothing on purpose, so that a handler can be tested alone; inside a program such a
// call is a mistake, such as Ready(context.Background()), that nothing tells.
package strict

import (
	"context"
	"sync/atomic"
)

var enabled atomic.Bool

// Enable makes Outside panic from now on, in the whole process: a context that comes from nowhere belongs to no test.
func Enable() { enabled.Store(true) }

type allowed struct{}

// Allow returns a context with which Outside does not panic.
func Allow(ctx context.Context) context.Context { return context.WithValue(ctx, allowed{}, true) }

// Outside is called where a function got a context that comes from no worker.
func Outside(ctx context.Context, function string) {
	if enabled.Load() && ctx.Value(allowed{}) == nil {
		panic("lastcall." + function + ": the context comes from no worker of a group")
	}
}
