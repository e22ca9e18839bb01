//go:build unix

package check

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
	"github.com/lastcall-go/lastcall/internal/text"
)

const (
	// duckEvery is how often readiness is asked for while the daemon stops, and whether it takes connections.
	duckEvery = 5 * time.Millisecond
	// duckUnseen is how long readiness may have been red without being seen, for want of a look, so that the verdict is that it was not.
	// That is less than any balancer's time between two looks. On a machine that does not let look so often, it is tried again.
	duckUnseen = 500 * time.Millisecond
	duckTries  = 5
)

var lameduckScenario = Scenario{
	Name:  "lameduck",
	Means: "load balancers look away before the door closes",
	Does:  "watches the readiness URL after SIGTERM",
	Fails: "warn: readiness stays green, or connections are refused before it went red",
	Needs: "a readiness URL",
	play:  playLameduck,
}

// playLameduck watches readiness while the daemon stops.
func playLameduck(r *runner) {
	if r.ready.url == nil {
		r.skip("no readiness URL is known: give one with --ready http://…")
		return
	}
	if r.canStop() {
		return
	}
	for i := range duckTries {
		r.say("life %d of %d at the most", i+1, duckTries)
		if r.watchDuck() || r.ctx.Err() != nil {
			return
		}
	}
	r.skip("this machine is too busy to look at readiness every %v", duckUnseen)
}

// watchDuck is one life. It reports whether there is a verdict.
func (r *runner) watchDuck() bool {
	l, ok := r.begin()
	if !ok {
		return true
	}
	ctx, cancel := context.WithCancel(r.ctx)
	var all sync.WaitGroup
	var red, refused time.Time // when that was first seen
	var green time.Time        // when readiness was last asked for that was green
	var status int
	asks := func(t *target, until func(a rawhttp.Result) bool) {
		all.Go(func() {
			for ctx.Err() == nil {
				c := rawhttp.NewClient(t.with(rawhttp.NewConn))
				a := c.Exchange(ctx)
				c.Close()
				if until(a) {
					return
				}
				l.exits(duckEvery)
			}
		})
	}
	asks(r.ready.url, func(a rawhttp.Result) bool {
		if a.Class == rawhttp.Answered && a.Status >= 400 {
			red, status = time.Now(), a.Status
		} else if a.Class == rawhttp.Answered {
			green = a.Began
		}
		return !red.IsZero() || a.Class == rawhttp.Refused
	})
	served := r.url
	if served == nil {
		served = r.ready.url
	}
	asks(served, func(a rawhttp.Result) bool {
		if a.Class == rawhttp.Refused {
			refused = time.Now()
		}
		return a.Class == rawhttp.Refused
	})
	o := l.stop(r.Signal)
	cancel()
	all.Wait()
	if r.ctx.Err() != nil {
		return true
	}
	told := l.told
	if refused.IsZero() {
		refused = l.k.ended // nobody asked in between
	}
	unseen := refused.Sub(told)
	if green.After(told) {
		unseen = refused.Sub(green)
	}
	if red.IsZero() && !o.Hung && unseen > duckUnseen {
		return false
	}
	if !red.IsZero() {
		r.fact("readiness red after", ms(red.Sub(told)), "ms", fmt.Sprintf("status %d", status))
	}
	r.fact("connections refused after", ms(refused.Sub(told)), "ms", "")
	r.stopTimes([]time.Duration{o.Took})
	const advice = "After the signal answer readiness with 503 and go on serving for as long as the balancer takes to notice; then stop. In Go: lastcall's LameDuck."
	switch {
	case red.IsZero() && o.Hung:
		r.warn(codeStaysGreen, fmt.Sprintf("readiness stayed green for %v", r.Grace), advice)
	case red.IsZero():
		r.warn(codeStaysGreen, fmt.Sprintf("readiness never went red: connections were refused %v after the signal", text.Round(refused.Sub(told))), advice)
	case refused.Before(green): // and not only before red was seen: it may have been so before
		r.warn(codeRefusesGreen, fmt.Sprintf("connections were refused %v before readiness went red", text.Round(red.Sub(refused))), advice)
	default:
		r.pass("readiness went red %v after the signal, %v before connections were refused", text.Round(red.Sub(told)), text.Round(max(0, refused.Sub(red))))
	}
	return true
}
