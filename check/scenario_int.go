//go:build unix

package check

import (
	"fmt"
	"syscall"

	"github.com/lastcall-go/lastcall/process"
)

var intScenario = Scenario{
	Name:  "int",
	Means: "Ctrl-C stops it as well",
	Does:  "sends SIGINT to its process group when it is idle, as a terminal does",
	Fails: "it has a handler, and fails as in term; warn: it has none, or ignores the signal, and stops with SIGTERM only",
	play:  playInt,
}

// playInt is Ctrl-C. The daemon has the default action for SIGINT also where this check was started with the signal ignored, see
// becomeParent. A service may be documented to stop with SIGTERM only: to have no handler for SIGINT is a warning then.
func playInt(r *runner) {
	l, ok := r.begin()
	if !ok {
		return
	}
	ignored := ignores(l.k.daemon, syscall.SIGINT)
	o := l.interrupt()
	name := process.SignalName(r.Signal)
	const advice = "A person who starts it in a terminal expects Ctrl-C to stop it. Handle SIGINT as %s."
	switch unhandled := o.Status.Signal() == syscall.SIGINT && !o.Caught; {
	case r.Signal == syscall.SIGINT || !r.stopsWell():
		r.judgePlain(o, syscall.SIGINT)
	case o.Hung && ignored:
		r.warn(codeNoCtrlC, fmt.Sprintf("ignores SIGINT; it stops with %s", name), fmt.Sprintf(advice, name))
	case !o.Hung && unhandled:
		r.warn(codeNoCtrlC, fmt.Sprintf("died of SIGINT: it has no handler for it; it stops with %s", name), fmt.Sprintf(advice, name))
	default:
		r.judgePlain(o, syscall.SIGINT)
	}
}

// stopsWell reports whether the idle daemon stopped well in its first life, and in term.
func (r *runner) stopsWell() bool {
	o := r.usual
	return r.known == nil && !o.Hung && (!o.Status.Signaled() && r.accepts(o.Status.ExitStatus(), r.Signal) || o.Status.Signal() == r.Signal && o.Caught)
}
