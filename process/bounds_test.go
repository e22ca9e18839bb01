//go:build linux || freebsd

package process

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// A child cannot make its start longer than Ready.Within and Extend together.
func TestExtensionOfTheStartIsBounded(t *testing.T) {
	t.Parallel()
	p := script("notify EXTEND_TIMEOUT_USEC=100000000; wait")
	p.Ready, p.Extend = Ready{Notify: true, Within: 2 * time.Second}, 500*time.Millisecond
	began := time.Now()
	errorAs[*ReadyError](t, run(t, p, limit).end())
	if took := time.Since(began); took > limit/2 {
		t.Errorf("it gave up after %v", took)
	}
}

// A main process that asks for more than the group gives leaves the rest of its family the time that it has.
func TestExtensionOfTheStopIsBounded(t *testing.T) {
	t.Parallel()
	v := listen(t)
	p := script(`on TERM { notify EXTEND_TIMEOUT_USEC=600000000 }; spawn plain { on TERM { say told; exit 0 }; say left; wait }; say up; wait`)
	p.Stdout, p.Notify, p.Grace = v.w, true, limit
	r := run(t, p, 6*time.Second)
	v.await(t, "up", "left")
	if e := errorAs[*ExitError](t, r.stop()); !e.Killed {
		t.Errorf("got %v", e)
	}
	v.silence(t)
	v.await(t, "told")
}

// Of L stages each after the first keeps the 2L-th part of the time for itself, if there is anybody in it.
func TestShares(t *testing.T) {
	began := time.Now()
	s := &stop{began: began, end: began.Add(12 * time.Second)}
	for mode, want := range map[Mode][]time.Duration{KillFamily: {8, 10, 12}, KillGroup: {9, 12}, KillProcess: {12}} {
		if mode.stages() != len(want) {
			t.Errorf("%v has %d stages, want %d", mode, mode.stages(), len(want))
		}
		for stage, seconds := range want {
			if got := s.until(stage, mode).Sub(began); got != seconds*time.Second {
				t.Errorf("%v: stage %d lasts until %v, want %v", mode, stage, got, seconds*time.Second)
			}
		}
	}
	s.whole = true
	if got := s.until(stageMain, KillFamily).Sub(began); got != 12*time.Second {
		t.Errorf("where nobody is left behind the main process has %v", got)
	}
}

// A GET that is answered with 200 to 399 is a child that is ready, and no other is.
func TestReadyByStatus(t *testing.T) {
	var status, asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(status.Load()))
		asked.Add(1)
	}))
	defer server.Close()
	for _, test := range []struct {
		first, then int
	}{{400, 200}, {404, 302}, {503, 399}} {
		t.Run(strconv.Itoa(test.first), func(t *testing.T) {
			status.Store(int64(test.first))
			p := script("wait")
			p.Ready.HTTP = server.URL
			r := run(t, p, limit)
			before := asked.Load()
			eventually(t, "it was asked three times", func() bool { return asked.Load() >= before+3 }) // so that two answers have come
			if err := r.group.Ready(); err == nil {
				t.Errorf("it is ready by the answer %d", test.first)
			}
			status.Store(int64(test.then))
			r.until(lastcall.StateReady)
			noError(t, r.stop())
		})
	}
}

// A message that is longer than what is read of it is not obeyed in part.
func TestNoteThatIsTooLong(t *testing.T) {
	p := script("notify READY=1|STATUS=" + strings.Repeat("x", 9000) + "; notify STATUS=after; wait")
	p.Ready.Notify = true
	r := run(t, p, limit)
	eventually(t, "what follows is heard", func() bool { return p.Notes().Status == "after" })
	if err := r.group.Ready(); err == nil {
		t.Error("the first part of a message has made it ready")
	}
	noError(t, r.stop())
}
