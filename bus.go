package lastcall

import (
	"log/slog"
	"runtime/debug"
	"sync"
)

// bus hands events to listeners one at a time and in order, without a goroutine: whoever posts while nobody delivers
// delivers what there is, with no lock held. A tree of groups shares one.
type bus struct {
	mu    sync.Mutex
	queue []delivery
	idle  chan struct{} // not nil while somebody delivers; closed when that ends
}

type delivery struct {
	event     Event
	listeners []func(Event)
}

func (b *bus) post(event Event, listeners []func(Event)) {
	b.mu.Lock()
	b.queue = append(b.queue, delivery{event, listeners})
	b.mu.Unlock()
}

// deliver empties the queue, unless somebody is doing that already.
func (b *bus) deliver() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.idle != nil {
		return
	}
	b.idle = make(chan struct{})
	for len(b.queue) > 0 {
		d := b.queue[0]
		b.queue = b.queue[1:]
		b.mu.Unlock()
		for _, listen := range d.listeners {
			call(listen, d.event)
		}
		b.mu.Lock()
	}
	b.queue = nil
	close(b.idle)
	b.idle = nil
}

// flush returns when everything that was posted has been delivered.
func (b *bus) flush() {
	for {
		b.deliver()
		b.mu.Lock()
		idle, empty := b.idle, len(b.queue) == 0
		b.mu.Unlock()
		if idle != nil {
			<-idle
		} else if empty {
			return
		}
	}
}

// call contains a listener's panic: who looks on must not bring the daemon down.
func call(listen func(Event), event Event) {
	defer func() {
		if v := recover(); v != nil {
			slog.Error("lastcall: a listener panicked", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	listen(event)
}
