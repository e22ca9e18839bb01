//go:build unix

package check

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
)

// duckEvery is how often readiness is asked for while the daemon stops, and whether it takes connections.
const duckEvery = 5 * time.Millisecond

// playLameduck watches readiness while the daemon stops.
func playLameduck(r *runner) {
	if r.ready.url == nil {
		r.skip("no readiness URL is known: give one with --ready http://…")
		return
	}
	if r.canStop() {
		return
	}
	l, ok := r.begin()
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(r.ctx)
	var all sync.WaitGroup
	var red, refused time.Time // when that was first seen
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
	told := l.told
	if !red.IsZero() {
		r.fact("readiness red after", ms(red.Sub(told)), "ms", fmt.Sprintf("status %d", status))
	}
	if refused.IsZero() {
		refused = l.k.ended // nobody asked in between
	}
	r.fact("connections refused after", ms(refused.Sub(told)), "ms", "")
	r.stopTimes([]time.Duration{o.Took})
	const advice = "After the signal answer readiness with 503 and go on serving for as long as the balancer takes to notice; then stop. In Go: lastcall's LameDuck."
	switch {
	case red.IsZero() && o.Hung:
		r.warn(fmt.Sprintf("readiness stayed green for %v", r.Grace), advice)
	case red.IsZero():
		r.warn(fmt.Sprintf("readiness never went red: connections were refused %v after the signal", round(refused.Sub(told))), advice)
	case refused.Before(red):
		r.warn(fmt.Sprintf("connections were refused %v before readiness went red", round(red.Sub(refused))), advice)
	default:
		r.pass("readiness went red %v after the signal, %v before connections were refused", round(red.Sub(told)), round(refused.Sub(red)))
	}
}
