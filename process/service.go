package process

import (
	"context"
	"runtime/pprof"
)

// service calls fn in a goroutine that serves all processes from now on. It is not the worker's that was the first to need it, so it does
// not carry that one's labels, by which the core finds what a worker left behind.
func service(fn func()) {
	go func() {
		pprof.SetGoroutineLabels(context.Background())
		fn()
	}()
}
