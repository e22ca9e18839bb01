package process

import (
	"regexp"
	"time"
)

// Ready is how one knows that a child does what it is for. At most one of the ways is set; with none the child is ready as
// soon as its program runs. Probes stop when it is ready.
type Ready struct {
	Notify bool           // it sends READY=1 to NOTIFY_SOCKET, see sd_notify(3)
	FD     int            // it writes a newline to this descriptor, as with s6
	TCP    string         // something accepts connections at this address
	HTTP   string         // a GET of this URL is answered with a status from 200 to 399
	Log    *regexp.Regexp // a line of its output matches; Stdout and Stderr are then copied, not handed over
	Exec   []string       // this command exits with 0; it runs as a control process does, see [Process.ControlProcess]
	Delay  time.Duration  // so much time has passed
	Exit   bool           // it has ended well: a task, and no service; it is ready when whoever runs it says so

	// Within is the time it has; 0 means no limit. One that is not ready by then has failed.
	Within time.Duration
}

// Alive is a check that is repeated while a child is ready. Exactly one of TCP, HTTP and Exec is set, as in [Ready]. A command
// that does not end in time is killed, with everything that it started.
type Alive struct {
	TCP  string
	HTTP string
	Exec []string

	Every    time.Duration // the pause between two checks; 0 means 10 s
	Within   time.Duration // the time that one has; 0 means 5 s
	Failures int           // so many in a row are a failure of the child; 0 means 3
}

func (r *Ready) ways() int {
	return count(r.Notify, r.FD != 0, r.TCP != "", r.HTTP != "", r.Log != nil, len(r.Exec) > 0, r.Delay != 0, r.Exit)
}

func (a *Alive) ways() int { return count(a.TCP != "", a.HTTP != "", len(a.Exec) > 0) }

func (r *Ready) problems(add func(string, ...any)) {
	if ways := r.ways(); ways > 1 {
		add("Ready says %d ways of being ready, and there can be one", ways)
	}
}

func (a *Alive) problems(add func(string, ...any)) {
	if ways := a.ways(); ways > 1 {
		add("Alive says %d checks, and there can be one", ways)
	}
}

func count(set ...bool) int {
	n := 0
	for _, is := range set {
		if is {
			n++
		}
	}
	return n
}
