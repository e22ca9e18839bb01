//go:build unix

package check

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

// streamConns is how many streams are open at the stop.
const streamConns = 4

var streamScenario = Scenario{
	Name:  "stream",
	Means: "clients of an open stream learn of the stop, and connect elsewhere",
	Does:  "sends SIGTERM while server-sent events or WebSockets are open",
	Fails: "it still runs after the grace period, since it waits for the streams; warn: a stream is cut without its end (the last chunk; a close frame with 1001 or 1012)",
	Needs: "the URL of a stream",
	play:  playStream,
}

// streamEnd is how a stream ended.
type streamEnd struct {
	well bool
	how  string // "cut in the middle", "close frame 1001"
	at   time.Time
}

// stream is an open stream.
type stream interface {
	// await reads it to its end.
	await() streamEnd
	close()
}

func playStream(r *runner) {
	if r.stream == nil {
		r.skip("no URL of a stream is known: give one with --stream http://… (server-sent events) or ws://…")
		return
	}
	if r.canStop() {
		return
	}
	l, ok := r.begin()
	if !ok {
		return
	}
	var open []stream
	defer func() {
		for _, s := range open {
			s.close()
		}
	}()
	for range streamConns {
		s, err := r.stream.open(r.ctx)
		if err != nil {
			l.stop(r.Signal)
			r.skip("no stream could be opened at %v: %v", r.stream, err)
			return
		}
		open = append(open, s)
	}
	ends := make([]streamEnd, len(open))
	var all sync.WaitGroup
	for i, s := range open {
		all.Go(func() { ends[i] = s.await() })
	}
	o := l.stop(r.Signal)
	all.Wait() // the end of the daemon is theirs
	r.judgeStreams(l, o, ends)
}

func (r *runner) judgeStreams(l *life, o outcome, ends []streamEnd) {
	counts := map[string]int{}
	cut, how := 0, ""
	var last time.Time
	for _, e := range ends {
		counts[e.how]++
		if !e.well {
			cut, how = cut+1, e.how
		}
		if e.at.After(last) {
			last = e.at
		}
	}
	for how, n := range counts {
		r.fact("streams that ended so", float64(n), "", how)
	}
	r.stopTimes([]time.Duration{o.Took})
	name := process.SignalName(r.Signal)
	switch {
	case o.Hung:
		r.fail(codeHangsStreams, fmt.Sprintf("still there %v after %s, with %d streams open", r.Grace, name, len(ends)),
			"It waits for the streams to end, and nothing ends them. Tell each handler of the stop: send what is left, end the stream, return.")
	case cut > 0:
		r.warn(codeCutsStreams, fmt.Sprintf("%d of %d streams were %s", cut, len(ends), how),
			"A client cannot tell this from a crash. End the answer (for a WebSocket: send a close frame with 1001), some at a time, so that the clients do not all come back at once.")
	default:
		r.judgeBusy(o, fmt.Sprintf("%d streams open", len(ends)))
		r.pass("ended all of %d streams (%s), the last %v after %s", len(ends), ends[0].how, text.Round(max(0, last.Sub(l.told))), name)
	}
}

// open opens one stream.
func (t *target) open(ctx context.Context) (stream, error) {
	if t.socket {
		return openWebSocket(ctx, t)
	}
	return openEvents(ctx, t)
}
