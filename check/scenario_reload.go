//go:build unix

package check

import (
	"fmt"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
	"github.com/lastcall-go/lastcall/process"
)

const (
	// reloadTimes is how often the signal is sent, under steady load.
	reloadTimes = 3
	// reloadWatch is how long the load goes on after each: a reload starts workers and ends others.
	reloadWatch = time.Second
)

var reloadScenario = Scenario{
	Name:  "reload",
	Means: "a reload of its configuration loses no request",
	Does:  "sends the reload signal three times under steady load",
	Fails: "it ends, or a request is lost",
	Needs: "--reload-signal, and a URL",
	play:  playReload,
}

func playReload(r *runner) {
	switch {
	case r.ReloadSignal == 0:
		r.skip("no reload signal is given: --reload-signal HUP for most daemons that reload")
		return
	case r.url == nil:
		r.skip("nothing is known to speak HTTP: give a URL with --url")
		return
	case r.canStop():
		return
	}
	name := process.SignalName(r.ReloadSignal)
	for _, mode := range []rawhttp.Mode{rawhttp.NewConn, rawhttp.KeepAliveGET} {
		if r.url.onlyHTTP2() {
			mode = rawhttp.HTTP2
		}
		l, ok := r.begin()
		if !ok {
			return
		}
		r.say("%v, reloading", mode)
		var t tally
		flowing, wait := l.steady(mode, &t)
		if !flowing {
			wait()
			l.stop(r.Signal)
			r.skip("too few requests were answered to call it load (%v)", mode)
			return
		}
		t.tell(time.Now()) // from here on a loss is the reload's
		for i := range reloadTimes {
			l.reload(r.ReloadSignal)
			if l.exits(reloadWatch) {
				wait()
				l.end()
				l.isWorst()
				r.fail(codeReloadEnds, fmt.Sprintf("%s after %s, number %d%s", statusText(l.k.status), name, i+1, said(l.out.last(300))),
					fmt.Sprintf("It has no handler for %s, or cannot reload while it serves. --reload-signal names the signal that reloads it.", name))
				return
			}
		}
		wait()
		l.stop(r.Signal)
		t.note(l)
		r.requestFacts(&t)
		if n := t.sum() + t.refused + t.queued; n > 0 {
			l.isWorst()
			how := t.ways()
			if how == "" {
				how = "refused or reset in the queue"
			}
			r.fail(codeReloadLoses, fmt.Sprintf("lost %d of %d requests in %d reloads (%v): %s", n, n+t.answered, reloadTimes, mode, how),
				"Keep the listening socket open over the reload, and let the old workers answer what they have taken.")
			return
		}
		if t.idle > 0 {
			r.warn(codeClosesIdle, fmt.Sprintf("%d requests met a keep-alive connection that a reload was just closing", t.idle),
				"Say \"Connection: close\" in the last answer, and wait a moment before what is idle is closed.")
		}
		if r.url.onlyHTTP2() {
			break
		}
	}
	r.pass("lost none of the requests in %d reloads", 2*reloadTimes)
}

// reload sends the reload signal, which is no moment zero.
func (l *life) reload(s syscall.Signal) {
	l.note(time.Now(), KindSignal, process.SignalName(s))
	l.send(s)
}
