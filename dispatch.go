package lastcall

import "sync"

// dispatcher hands events to listeners one at a time and in order, with no lock held, and without a goroutine while there are
// none: a post while nothing is being delivered delivers what there is. A tree of groups shares one.
type dispatcher struct {
	mu    sync.Mutex
	queue []delivery
	idle  chan struct{} // not nil while somebody delivers; closed when that ends
}

type delivery struct {
	event     Event
	listeners []func(Event)
}

func (b *dispatcher) post(event Event, listeners []func(Event)) {
	b.mu.Lock()
	b.queue = append(b.queue, delivery{event, listeners})
	b.mu.Unlock()
}

// deliver empties the queue, unless that is being done already. The listeners are called on another goroutine, so that
// one that ends it with runtime.Goexit (t.Fatal does) ends nothing else.
func (b *dispatcher) deliver() {
	b.mu.Lock()
	if b.idle != nil || len(b.queue) == 0 {
		b.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	b.idle = idle
	b.mu.Unlock()
	go b.drain()
	<-idle
}

// drain calls listeners until the queue is empty.
func (b *dispatcher) drain() {
	defer b.drained()
	for {
		listen, event := b.next()
		if listen == nil {
			return
		}
		call(listen, event)
	}
}

// next takes a call out of the queue.
func (b *dispatcher) next() (func(Event), Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) > 0 {
		d := &b.queue[0]
		if len(d.listeners) > 0 {
			listen := d.listeners[0]
			d.listeners = d.listeners[1:]
			return listen, d.event
		}
		b.queue = b.queue[1:]
	}
	b.queue = nil
	return nil, Event{}
}

// drained goes on where a listener has ended the goroutine.
func (b *dispatcher) drained() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) > 0 {
		go b.drain()
		return
	}
	close(b.idle)
	b.idle = nil
}

// flush returns when everything that was posted has been delivered.
func (b *dispatcher) flush() {
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
