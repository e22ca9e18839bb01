package lastcall

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/internal/tty"
)

const (
	firstDraw = 200 * time.Millisecond // so that a quick stop shows nothing
	drawEvery = time.Second
	soonest   = 100 * time.Millisecond // after something happened
	leastName = 8                      // columns: less of a name is not worth showing
)

// display shows on a terminal which workers a group waits for while a start takes its time, and during a stop: one line
// that is rewritten in place, below the row in which the program itself writes. It is a listener; its goroutine starts
// when there is something to show, and ends at close.
type display struct {
	out     io.Writer
	width   func() int       // of the terminal, in columns; it may change
	awaited func() []Awaited // the longest first
	few     int              // so many awaited are worth a new drawing for each that ends

	mu       sync.Mutex // never held while writing: a terminal may be stopped with Ctrl-S
	phase    displayPhase
	cause    string
	typed    bool      // a SIGINT was first: the terminal has written ^C
	leaving  time.Time // end of the lame-duck delay
	stopping bool
	cut      bool
	count    int           // awaited when last drawn
	stop     chan struct{} // ends the goroutine; nil before there is something to show
	done     chan struct{}
	changed  chan struct{} // something is worth a new drawing

	writing sync.Mutex
	shown   bool // the line is on the screen; guarded by writing
}

// displayPhase is what a display shows.
type displayPhase uint8

const (
	displayNothing displayPhase = iota // all is ready, or is likely to be soon
	displayStart                       // the group waits for its start
	displayStop
)

func newDisplay(out io.Writer, width func() int, awaited func() []Awaited) *display {
	return &display{out: out, width: width, awaited: awaited, few: 10, changed: make(chan struct{}, 1)}
}

// observe is the listener.
func (d *display) observe(e Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case e.Name == "" && e.Kind == EventLameDuck:
		d.leaving = e.Time.Add(e.Delay)
		d.begin(e)
	case e.Name == "" && e.Kind == EventState && e.State == StateStopping:
		d.stopping = true
		d.begin(e)
	case e.Name == "" && e.Kind == EventAwaiting && e.State == StateStarting && d.phase == displayNothing:
		d.phase = displayStart
		d.animated()
	case e.Name == "" && e.Kind == EventState && e.State == StateReady && d.phase == displayStart:
		d.phase = displayNothing
	case d.phase == displayNothing || e.Kind != EventState:
		return
	case e.State == StateCut && isWholeCut(e.Cause):
		d.cut = true
	case !e.State.Ended() || d.count > d.few:
		return
	}
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// isWholeCut reports whether a second signal cut the whole group, rather than one worker at the end of its own limit.
func isWholeCut(stop *StopCause) bool {
	return stop != nil && stop.Hard && stop.Reason == StopSignal
}

// begin starts the goroutine that draws.
func (d *display) begin(e Event) {
	if stop := e.Cause; stop != nil {
		d.cause = stop.Why()
		if d.phase != displayStop {
			d.typed = stop.Signal == os.Interrupt
		}
	}
	d.phase = displayStop
	d.animated()
}

// animated starts the goroutine that draws, unless it runs.
func (d *display) animated() {
	if d.stop == nil {
		d.stop, d.done = make(chan struct{}), make(chan struct{})
		go d.animate()
	}
}

// animate draws until the display is closed.
func (d *display) animate() {
	defer close(d.done)
	next := time.Now().Add(firstDraw)
	timer := time.NewTimer(firstDraw)
	defer timer.Stop()
	drawn, idle := false, false
	for {
		select {
		case <-d.stop:
			return
		case <-d.changed:
			soon := time.Now().Add(soonest)
			switch before := idle; {
			case d.nothing():
				timer.Stop()
				d.clear()
				drawn, idle = false, true
			case before:
				idle = false
				next = time.Now().Add(firstDraw)
				timer.Reset(firstDraw)
			case drawn && soon.Before(next):
				next = soon
				timer.Reset(soonest)
			}
		case now := <-timer.C:
			d.draw(now)
			drawn = true
			next = now.Add(drawEvery)
			timer.Reset(drawEvery)
		}
	}
}

// nothing reports whether there is nothing to show.
func (d *display) nothing() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.phase == displayNothing
}

// clear takes the line off the screen until there is something to show again.
func (d *display) clear() {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.erase()
}

// draw rewrites the line. The cursor goes back to the beginning of the row above: what the program writes next, and the
// ^C that the terminal writes, stands there and not in the line.
func (d *display) draw(now time.Time) {
	awaited := d.awaited()
	d.mu.Lock()
	if d.phase == displayNothing { // since a moment ago
		d.mu.Unlock()
		return
	}
	d.count = len(awaited)
	line := d.line(now, awaited, d.width()-1)
	d.mu.Unlock()
	d.writing.Lock()
	defer d.writing.Unlock()
	fmt.Fprint(d.out, "\x1b[J\r\n", line, "\r\x1b[A")
	d.shown = true
}

// line names the workers awaited, the longest first, and what Ctrl-C does, in at most width columns.
func (d *display) line(now time.Time, awaited []Awaited, width int) string {
	hint := "; Ctrl-C to cut it short"
	switch {
	case d.phase == displayStart:
		hint = "; Ctrl-C to stop"
	case d.cut:
		hint = "; Ctrl-C to exit at once"
	}
	cause := clipped(d.cause, width/3)
	if !d.stopping && d.phase != displayStart {
		left := max(d.leaving.Sub(now), 0).Round(time.Second)
		return clipped(fmt.Sprintf("lame duck (%s): serving for another %v", cause, left)+hint, width)
	}
	line := fmt.Sprintf("stopping (%s)", cause)
	if d.phase == displayStart {
		line = "starting"
	}
	if len(awaited) == 0 {
		return clipped(line+hint, width)
	}
	line += ": waiting for "
	for i, a := range awaited {
		a.For = a.For.Truncate(time.Second)
		name, rest, more := text.Outside(a.String()), len(awaited)-i-1, ""
		if i > 0 {
			name = ", " + name
		}
		if rest > 0 {
			more = fmt.Sprintf(" and %d more", rest)
		}
		free := width - tty.Columns(line+more+hint)
		switch {
		case tty.Columns(name) <= free:
			line += name
			continue
		case i > 0:
			line += fmt.Sprintf(" and %d more", rest+1)
		case free >= leastName:
			line += clipped(name, free) + more
		default:
			line += text.Count(len(awaited), "worker")
		}
		break
	}
	return clipped(line+hint, width)
}

// Write writes p, such as a live report, in place of the line, which comes back with the next drawing.
func (d *display) Write(p []byte) (int, error) {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.erase()
	return d.out.Write(p)
}

// close takes the line off the screen.
func (d *display) close() {
	d.mu.Lock()
	stop, typed := d.stop, d.typed
	d.mu.Unlock()
	if stop != nil {
		close(stop)
		<-d.done
	}
	d.writing.Lock()
	defer d.writing.Unlock()
	switch {
	case d.shown:
		d.erase()
	case typed: // what comes next is not to stand behind the ^C
		fmt.Fprint(d.out, "\r\n")
	}
}

// erase takes the line, and a ^C above it, off the screen.
func (d *display) erase() {
	if d.shown {
		fmt.Fprint(d.out, "\r\x1b[J")
		d.shown = false
	}
}

// clipped shortens a text to width columns, and makes it harmless.
func clipped(long string, width int) string {
	b := asciiBrushes
	if utf8Terminal() {
		b = unicodeBrushes
	}
	return tty.Clip(text.Outside(long), width, b.ellipsis)
}
