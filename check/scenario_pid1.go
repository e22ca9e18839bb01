//go:build unix

package check

import (
	"fmt"
	"runtime"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

// buriedWithin is how long orphans may stay zombies. Who buries them does so at once; who does not, never.
const buriedWithin = 3 * time.Second

var pid1Scenario = Scenario{
	Name:  "pid1",
	Means: "it can be the only program of a container",
	Does:  "runs it as PID 1 of a namespace, with orphans, and sends SIGTERM",
	Fails: "it ignores SIGTERM there, or its zombies pile up; warn: orphans that are not its own are not reaped",
	Needs: "PID namespaces, and the right to make one",
	play:  playPid1,
}

// playPid1 runs the daemon as PID 1 of a namespace of its own.
func playPid1(r *runner) {
	if runtime.GOOS != "linux" {
		r.skip("only Linux has PID namespaces")
		return
	}
	if why := noNamespace(); why != "" {
		r.skip("no PID namespace can be made here: %s", why)
		return
	}
	if r.canStop() {
		return
	}
	l, err := r.start(true)
	if err == nil {
		if err = l.awaitReady(); err == nil {
			l.settle(settledFor)
		}
	}
	if err != nil {
		if l != nil {
			l.end()
		}
		if r.ctx.Err() == nil {
			r.failed(err)
			r.result.Code = codePID1StartsNot
			r.result.Advice = "As PID 1 of a container it does not even start. Its output says why."
		}
		return
	}
	l.endOrphans()
	own, theirs := l.zombies()
	r.fact("orphans that ended", planted, "", "processes that it did not start itself")
	r.fact("zombies", float64(own+theirs), "", "")
	o := l.stop(r.Signal)
	r.stopTimes([]time.Duration{o.Took})
	name := process.SignalName(r.Signal)
	const advice = "As PID 1 a process that has no handler for a signal does not get it at all, see kill(2). Handle it, or run the program under `lastcall run`."
	switch {
	case o.Hung && !o.Caught:
		r.fail(codePID1Ignores, fmt.Sprintf("still there %v after %s: it has no handler, and PID 1 has no default action", r.Grace, name), advice)
	case o.Hung:
		r.fail(codePID1Ignores, fmt.Sprintf("still there %v after %s", r.Grace, name), advice)
	case !r.asKnown(o) && !r.judge(o, r.Signal):
	case own > 0:
		r.fail(codePID1Zombies, fmt.Sprintf("%d zombies of its own children are left", own), "Wait for every child that it starts.")
	case theirs > 0:
		r.warn(codePID1Orphans, fmt.Sprintf("%d of %d orphans stayed zombies", theirs, planted),
			"As PID 1 it inherits the orphans of whatever runs in the container (a health check's shell, `docker exec`), and buries none. Run it under `lastcall run`.")
	default:
		r.pass("%s, %v after %s; all orphans were reaped", statusText(o.Status), text.Round(o.Took), name)
	}
}

// endOrphans ends the processes that were given to the daemon.
func (l *life) endOrphans() {
	for _, p := range descendants(l.k.pid) {
		if p.Name == orphanName {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
	}
}

// zombies waits for the burial of the dead, and counts those that stay: the daemon's own, and those that were given to it. Their time
// begins when all that are to die have died.
func (l *life) zombies() (own, theirs int) {
	limit := time.Now().Add(l.r.Grace)
	for dead := false; ; time.Sleep(threadsEvery) {
		own, theirs = 0, 0
		dying := false
		for _, p := range descendants(l.k.pid) {
			switch {
			case p.Name == orphanName && !p.Zombie:
				dying = true
			case !p.Zombie || p.PID == l.k.daemon:
			case p.Name == orphanName:
				theirs++
			default:
				own++
			}
		}
		if !dying && !dead {
			dead, limit = true, time.Now().Add(buriedWithin)
		}
		if dead && own+theirs == 0 || time.Now().After(limit) || l.r.ctx.Err() != nil || l.hasExited() {
			return own, theirs
		}
	}
}
