//go:build unix

package check

import (
	"errors"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
)

// How each end of a request counts, by when it was sent.
func TestTally(t *testing.T) {
	told := time.Now()
	const ms = time.Millisecond
	begin := func(at time.Duration, sent, took time.Duration, r rawhttp.Result) rawhttp.Result {
		r.Began, r.Sent, r.Took = told.Add(at), sent, took
		return r
	}
	broken := errors.New("no HTTP")
	for name, test := range map[string]struct {
		r    rawhttp.Result
		want func(*tally) bool
	}{
		"answered before":              {begin(-10*ms, ms, 2*ms, rawhttp.Result{Status: 200}), func(y *tally) bool { return y.answered == 1 && y.after == 0 }},
		"answered over the signal":     {begin(-10*ms, ms, 20*ms, rawhttp.Result{Status: 200}), func(y *tally) bool { return y.answered == 1 && y.after == 0 && y.fivexx == 0 }},
		"answered after":               {begin(10*ms, ms, 2*ms, rawhttp.Result{Status: 200}), func(y *tally) bool { return y.answered == 1 && y.after == 1 }},
		"sent after":                   {begin(-1*ms, 2*ms, 3*ms, rawhttp.Result{Status: 200}), func(y *tally) bool { return y.after == 1 }},
		"5xx before":                   {begin(-10*ms, ms, 2*ms, rawhttp.Result{Status: 503}), func(y *tally) bool { return y.answered == 1 && y.fivexx == 0 }},
		"5xx over the signal":          {begin(-10*ms, ms, 20*ms, rawhttp.Result{Status: 500}), func(y *tally) bool { return y.fivexx == 1 }},
		"404 after":                    {begin(10*ms, ms, 2*ms, rawhttp.Result{Status: 404}), func(y *tally) bool { return y.answered == 1 && y.fivexx == 0 }},
		"refused":                      {begin(10*ms, 0, ms, rawhttp.Result{Class: rawhttp.Refused}), func(y *tally) bool { return y.refused == 1 && y.sum() == 0 }},
		"never connected":              {begin(10*ms, 0, ms, rawhttp.Result{Class: rawhttp.NoConnect}), func(y *tally) bool { return y.refused == 1 && y.sum() == 0 }},
		"refused stream":               {begin(10*ms, ms, 2*ms, rawhttp.Result{Class: rawhttp.RefusedStream, Reused: true}), func(y *tally) bool { return y.refused == 1 && y.sum() == 0 }},
		"reset in connect":             {begin(10*ms, 0, ms, rawhttp.Result{Class: rawhttp.ResetInConnect}), func(y *tally) bool { return y.lost["reset in connect"] == 1 }},
		"reset, new":                   {begin(10*ms, ms, 2*ms, rawhttp.Result{Class: rawhttp.Reset}), func(y *tally) bool { return y.lost["reset on a new connection"] == 1 }},
		"reset, in use before":         {begin(-10*ms, ms, 20*ms, rawhttp.Result{Class: rawhttp.Reset, Reused: true}), func(y *tally) bool { return y.lost["reset on a connection in use"] == 1 && y.idle == 0 }},
		"reset, idle":                  {begin(10*ms, ms, 2*ms, rawhttp.Result{Class: rawhttp.Reset, Reused: true}), func(y *tally) bool { return y.idle == 1 && y.sum() == 0 }},
		"reset, idle, not even sent":   {begin(10*ms, 0, ms, rawhttp.Result{Class: rawhttp.Reset, Reused: true}), func(y *tally) bool { return y.idle == 1 && y.sum() == 0 }},
		"closed, idle":                 {begin(10*ms, ms, 2*ms, rawhttp.Result{Class: rawhttp.ClosedWithoutAnswer, Reused: true}), func(y *tally) bool { return y.idle == 1 }},
		"closed, new":                  {begin(10*ms, ms, 2*ms, rawhttp.Result{Class: rawhttp.ClosedWithoutAnswer}), func(y *tally) bool { return y.lost["read and closed without an answer, on a new connection"] == 1 }},
		"cut in the body, idle before": {begin(10*ms, ms, 2*ms, rawhttp.Result{Class: rawhttp.CutBody, Reused: true}), func(y *tally) bool { return y.lost["cut in the body"] == 1 && y.idle == 0 }},
		"no answer":                    {begin(-10*ms, ms, 20*ms, rawhttp.Result{Class: rawhttp.Timeout}), func(y *tally) bool { return y.lost["no answer"] == 1 }},
		"broken":                       {begin(10*ms, ms, 2*ms, rawhttp.Result{Class: rawhttp.Broken, Err: broken}), func(y *tally) bool { return y.broken == "no HTTP" && y.sum() == 0 && y.answered == 0 }},
	} {
		y := &tally{told: told}
		y.add(test.r)
		if !test.want(y) {
			t.Errorf("%s: %+v", name, y)
		}
	}
}

// A reset says nothing of who sent it: the witness tells connections that the daemon accepted from those of the kernel's queue.
func TestTallyWithAWitness(t *testing.T) {
	told := time.Now()
	const accepted, waited = 1, 2
	for name, test := range map[string]struct {
		r      rawhttp.Result
		queued int
		lost   string
	}{
		"accepted":          {rawhttp.Result{Class: rawhttp.Reset, From: accepted}, 0, "accepted and not read, on a new connection"},
		"waited":            {rawhttp.Result{Class: rawhttp.Reset, From: waited}, 1, ""},
		"made no more":      {rawhttp.Result{Class: rawhttp.ResetInConnect}, 1, ""},
		"read":              {rawhttp.Result{Class: rawhttp.ClosedWithoutAnswer, From: waited}, 0, "read and closed without an answer, on a new connection"},
		"served before":     {rawhttp.Result{Class: rawhttp.Reset, From: waited, Reused: true}, 0, "accepted and not read, on a connection in use"},
		"hangs":             {rawhttp.Result{Class: rawhttp.Timeout, From: waited}, 0, "no answer"},
		"cut in the middle": {rawhttp.Result{Class: rawhttp.CutBody, From: accepted}, 0, "cut in the body"},
	} {
		y := &tally{told: told, witness: &witness{accepted: map[uint16]bool{accepted: true}}}
		test.r.Began, test.r.Sent, test.r.Took = told.Add(-time.Second), time.Millisecond, 2*time.Second
		y.add(test.r)
		if y.queued != test.queued || y.sum() != len(y.lost) || (test.lost != "") != (y.lost[test.lost] == 1) {
			t.Errorf("%s: %d queued, lost %v; want %d, %q", name, y.queued, y.lost, test.queued, test.lost)
		}
	}
}

// The last connection that was taken is the last that an answer came on first.
func TestLastAccept(t *testing.T) {
	told := time.Now()
	l := &life{told: told}
	y := &tally{told: told}
	for i, r := range []rawhttp.Result{
		{Status: 200},
		{Status: 200, Reused: true},
		{Status: 200},
		{Class: rawhttp.Reset},
		{Status: 200, Reused: true},
	} {
		r.Began, r.Sent, r.Took = told.Add(time.Duration(i)*time.Second), time.Millisecond, 2*time.Millisecond
		y.add(r)
	}
	y.note(l)
	for _, m := range l.timeline("load").Moments {
		if m.Kind == KindAccept {
			if m.At != 2*time.Second+time.Millisecond || m.Text != "the last of 2" {
				t.Errorf("%v %q", m.At, m.Text)
			}
			return
		}
	}
	t.Error("no last accept in the timeline")
}
