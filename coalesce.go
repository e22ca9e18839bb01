package lastcall

import (
	"runtime/debug"
	"sync"
)

// An errand is something that a signal asks for and that may take its time, or hang: it has a goroutine of its own while
// it runs. It runs once at a time; who asks meanwhile gets one more run after it.
type errand struct {
	name string
	do   func()

	mu      sync.Mutex
	running bool
	again   bool
	over    bool          // nobody may ask any more
	idle    chan struct{} // closed when it is over and does not run
}

// ask has it run, unless it is over.
func (e *errand) ask() {
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

func (e *errand) run() {
	defer e.ended()
	e.do()
}

// ended is deferred, so that a panic, say of a writer, is contained, and runtime.Goexit counts as an end.
func (e *errand) ended() {
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
func (e *errand) end() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over, e.idle = true, make(chan struct{})
	if !e.running {
		close(e.idle)
	}
	return e.idle
}
