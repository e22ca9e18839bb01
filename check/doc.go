// Package check runs any daemon, in any language, many times, watches it from outside, and says whether it stops well.
//
// # From a test
//
//	func TestStopsWell(t *testing.T) {
//		check.Daemon(t, exec.Command("./shop", "-addr", "127.0.0.1:8080"), check.Check{URL: "http://127.0.0.1:8080/"})
//	}
//
// # From a program
//
//	report, err := (&check.Check{Command: []string{"./shop"}}).Run(ctx)
//
// A check plays scenarios, one after the other, each with lives of the daemon of its own; see [Scenarios] for what each does and
// when it fails. A scenario's [Result] has a verdict, the numbers that it rests on, what to do about it, and the timeline of the
// daemon's worst life in it.
//
// # How it looks
//
// The end of the daemon is an event of the system, and so is that of the last of its descendants. What the system tells nobody of is
// looked at, and only while there is something to see: whether the daemon is ready, every 10 ms until it is; which of its threads
// and descendants are still there, every 20 ms from the signal to the end; what its threads sleep in, every 50 ms in the second in
// which that is asked. The first two are looked at less often where they would take more than half a percent of a processor, as they do
// for a daemon with hundreds of threads. While it is watched in idleness it is looked at six times. Between these the check
// itself is idle. What it takes in all is under 1% of a processor while it watches an idle daemon; `go test -run OwnLoad -v` measures it.
//
// What decides is never how fast the machine is, but what happened in which order: limits are either the user's (Grace,
// ReadyWithin), or far more than the thing takes that they are for, and stand beside it with the reason.
//
// # What it starts
//
// The daemon's parent is a guard, and the guard's parent is a watchdog: both are this program, executed again,
// once for a whole check. That is done by the init function of this package, which acts only where it finds the variable
// LASTCALL_CHECK_GUARD, and never with the privileges of a set-user-ID program. Init functions of packages that come before this one run
// there as well: what they print is thrown away.
//
// The guard kills the daemon and everything that descends from it when its life is over, and also when this process has gone, however
// that was. On Linux that reaches also what left the daemon's process group or session and what lost its parent
// (PR_SET_CHILD_SUBREAPER). A daemon may turn on its guard: a guard that dies or is stopped is seen by its watchdog, a watchdog that
// dies by its guard, and one that is stopped, like a guard that is traced and does not answer, by this process. All is killed then, and
// the check ends with an error that names what happened. A daemon that kills guard and watchdog in one stroke can leave processes
// behind; it could kill this process as well. On other systems the reach is the daemon's process group.
// Processes that changed their user, so that this one may not kill them, are listed under orphans.
//
// The daemon leads a session of its own, as under a service manager; its stdin is the null device, its output a pipe, it has no
// other descriptors, no signal is ignored or blocked, and of the environment the variables of the service manager's protocols are left out.
//
// No scenario needs root. pid1 needs the right to make a PID namespace, and is skipped without it.
//
// On Linux everything is seen. Elsewhere no scenario that needs a look at processes is played (idle, orphans, pid1, the bursts of
// load), and the daemon counts as ready when its URL accepts connections, or after a second, unless Ready is set. Windows is not supported.
package check
