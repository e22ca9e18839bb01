package check

import (
	"syscall"
	"time"
)

// A Check is a daemon, and how it is looked at. The zero value of everything but Command is useful.
type Check struct {
	// Command is the daemon's program and its arguments. A name without a slash is looked up in PATH.
	Command []string
	// Dir is where it runs; "" means where this process does.
	Dir string
	// Env is its environment; nil means that of this process.
	Env []string

	// Ready is how one knows that the daemon does what it is for: a URL that answers with a status from 200 to 399;
	// tcp:HOST:PORT, something accepts connections there; log:REGEXP, a line of its output matches; notify, it sends READY=1,
	// see sd_notify(3); or a time such as 2s. "" means as soon as it has a listening socket
	// and answers at the URL, if there is one; or has been quiet for a moment.
	Ready string
	// ReadyWithin is the time that it has for that; 0 means 30 s.
	ReadyWithin time.Duration
	// URL is where requests go: http://…, https://…, or unix:SOCKET:PATH for HTTP on a Unix socket. "" means what is found: the first port that the daemon listens on and that speaks HTTP. Where its answer
	// is slow, it is used as Slow, and the root of its server is asked in its place if that is quick.
	URL string
	// Slow is a URL whose answer takes a while, for the scenarios that need a request under way. "" means uploads to URL that
	// take as long as the scenario likes, if the daemon waits for their end.
	Slow string
	// Stream is a URL whose answer goes on until the server ends it: server-sent events (http, https), or a WebSocket (ws, wss), for the
	// scenario stream. "" means URL or Slow, where the answer of that turns out to be a stream.
	Stream string

	// Signal is what asks the daemon to stop; 0 means SIGTERM.
	Signal syscall.Signal
	// ReloadSignal makes the daemon read its configuration again, for the scenario reload, which is skipped if it is 0.
	ReloadSignal syscall.Signal
	// Grace is the time that it has for each stop; 0 means 10 s.
	Grace time.Duration
	// Exit are statuses of a good stop besides 0 and 128+n.
	Exit []int
	// NoRefuse makes it a warning that connections are refused during the stop: for a daemon whose sockets somebody else holds.
	NoRefuse bool

	// Idle is how long it is watched while it has nothing to do; 0 means 10 s.
	Idle time.Duration
	// Only and Skip are names of [Scenarios] to look at, and not to look at.
	Only, Skip []string
	// Require are names of scenarios that must be looked at: one that would be skipped fails.
	Require []string
	// Baseline, if set, is an earlier report: a failure that it has as well (the same code in the same scenario) is a warning.
	Baseline *Report
	// Repeat is how many times as often as otherwise everything with chance in it is done; 0 means 1.
	Repeat int
	// Quick does everything less often, and watches for a shorter time.
	Quick bool
	// Seed is that of the random choices; 0 means any. The report has it. The same choices are the same parts of
	// how long a start takes, which is measured anew.
	Seed uint64

	// Observe, if set, is told what happens, from the goroutine of Run.
	Observe func(Progress)
}

// Progress is something that happened while a check runs. Result is set at the end of its scenario.
type Progress struct {
	Scenario string  // "" while the daemon is started for the first time
	Text     string  // what is being done, a few words
	Result   *Result //
	Report   *Report // as it is so far: not to be kept, nor changed
}

// ConfigError is a [Check] that cannot be meant.
type ConfigError struct {
	Field string // of Check
	Err   error
}

func (e *ConfigError) Error() string { return e.Field + ": " + e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

// StartError is a daemon that could not be started, or was never ready, so that nothing can be said about its stop.
type StartError struct {
	Program string
	Reason  string
	Slow    bool   // it still ran, and was not ready within its time
	Output  string // what it wrote, the last of it
	Err     error  // why it could not be executed; nil if it could
}

// Error is one line, without the output.
func (e *StartError) Error() string { return e.Program + ": " + e.Reason }
func (e *StartError) Unwrap() error { return e.Err }
