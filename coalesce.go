package lastcall

import (
	"runtime/debug"
	"sync"
)

// A coalescer runs what a signal asks for, which may take its time, or hang, on a goroutine of its own. One run goes on at a
// time; all requests that come meanwhile are one more run after it.
type coalescer struct {
	name string
	do   func()

	mu      sync.Mutex
	running bool
	again   bool
	over    bool          // requests have no effect any more
	idle    chan struct{} // closed when it is over and does not run
}

// ask has it run, unless it is over.
func (e *coalescer) ask() {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.over:
	case e.running:
		e.again = true
	default:
		e.running = true
		go e.run()
	}
}

func (e *coalescer) run() {
	defer e.ended()
	e.do()
}

// ended is deferred, so that a panic, say of a writer, is contained, and runtime.Goexit counts as an end.
func (e *coalescer) ended() {
	if v := recover(); v != nil {
		logError("lastcall: "+e.name+" panicked", "panic", v, "stack", string(debug.Stack()))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.over:
		close(e.idle)
	case e.again:
		e.again = false
		go e.run()
		return
	}
	e.running = false
}

// end makes it over; the channel is closed when it does not run any more. It is called once.
func (e *coalescer) end() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over, e.idle = true, make(chan struct{})
	if !e.running {
		close(e.idle)
	}
	return e.idle
}
