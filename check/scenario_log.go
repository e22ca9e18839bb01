//go:build unix

package check

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
)

// logWithin is how long a request may take to appear in the output of a daemon that logs requests.
const logWithin = 2 * time.Second

var logScenario = Scenario{
	Name:  "log",
	Means: "the last lines of its log are there when they are needed",
	Does:  "sends a request with a mark in its URL, and SIGTERM at once",
	Fails: "warn: the mark of the last request is not in its output, where that of an earlier one is",
	Needs: "a URL, and a daemon that logs requests to its output",
	play:  playLog,
}

// playLog marks two requests. The first shows whether the daemon logs requests at all.
func playLog(r *runner) {
	if r.url == nil {
		r.skip("nothing is known to speak HTTP: give a URL with --url")
		return
	}
	if r.canStop() {
		return
	}
	l, ok := r.begin()
	if !ok {
		return
	}
	first, last := "lastcall-"+rand.Text(), "lastcall-"+rand.Text()
	if !l.requestMarked(first) {
		l.stop(r.Signal)
		r.skip("the request with a mark got no answer")
		return
	}
	for limit := time.Now().Add(logWithin); !strings.Contains(l.out.text(), first); {
		if time.Now().After(limit) || l.exits(readyEvery) {
			l.stop(r.Signal)
			r.skip("its output does not show requests")
			return
		}
	}
	answered := l.requestMarked(last)
	o := l.stop(r.Signal)
	r.stopTimes([]time.Duration{o.Took})
	switch {
	case !answered || o.Hung:
		r.skip("the last request got no answer, or the daemon did not stop: see load and term")
	case !strings.Contains(l.out.text(), last):
		l.isWorst()
		r.warn(codeLosesLog, "the last request is not in its log, and an earlier one is", "Flush the log at the end of the stop, after the last request.")
	default:
		r.pass("the last request is in its log")
	}
}

// requestMarked sends a request whose URL has a mark, and reports whether it was answered.
func (l *life) requestMarked(mark string) bool {
	t := *l.r.url
	separator := "?"
	if strings.Contains(t.Path, "?") {
		separator = "&"
	}
	t.Path += fmt.Sprintf("%smark=%s", separator, mark)
	return t.askIn(l.r.ctx, askedWithin, rawhttp.NewConn).Class == rawhttp.Answered
}
