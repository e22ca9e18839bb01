//go:build unix

package process

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestReload(t *testing.T) {
	p := script("on HUP { notify RELOADING=1|STATUS=reading; notify READY=1|STATUS=done }; notify READY=1; wait")
	p.Ready.Notify = true
	r := run(t, p, 5*time.Second)
	eventually(t, "it is ready", func() bool { return r.group.Ready() == nil })
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for range 2 { // the second waits for an answer of its own
		noError(t, p.Reload(ctx, syscall.SIGHUP))
		if got := p.Notes(); got != (Notes{Status: "done"}) {
			t.Errorf("after the reload: %+v", got)
		}
	}
	noError(t, r.stop())
	if err := p.Reload(ctx, syscall.SIGHUP); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("got %v after the end, want os.ErrProcessDone", err)
	}
	if got := p.Notes(); got != (Notes{}) {
		t.Errorf("after the end: %+v", got)
	}
}

func TestReloadUnfinished(t *testing.T) {
	p := script("on HUP { notify RELOADING=1 }; on USR1 { sleep 0s }; on USR2 { notify RELOADING=1; exit 3 }; notify READY=1; wait")
	p.Ready.Notify = true
	r := run(t, p, 5*time.Second)
	eventually(t, "it is ready", func() bool { return r.group.Ready() == nil })
	for sig, missing := range map[syscall.Signal]string{syscall.SIGUSR1: "RELOADING=1", syscall.SIGHUP: "READY=1"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		late := errors.New("it took too long")
		done := make(chan error, 1)
		go func() { done <- p.Reload(ctx, sig) }()
		if sig == syscall.SIGHUP {
			eventually(t, "it reloads", func() bool { return p.Notes().Reloading })
		}
		cancel(late)
		if err := <-done; !errors.Is(err, late) || !strings.Contains(err.Error(), missing) {
			t.Errorf("%v: got %v, want %q and no %s", sig, err, late, missing)
		}
	}
	if err := p.Reload(t.Context(), syscall.SIGUSR2); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("got %v of one that ended, want os.ErrProcessDone", err)
	}
	errorAs[*ExitError](t, r.end())
}

// Without a NOTIFY_SOCKET there is nothing to wait for.
func TestReloadUnheard(t *testing.T) {
	t.Parallel()
	p := script("on HUP { say hup }; say up; wait")
	v := listen(t)
	p.Stdout = v.w
	r := run(t, p, 5*time.Second)
	v.await(t, "up")
	noError(t, p.Reload(t.Context(), syscall.SIGHUP))
	v.await(t, "hup")
	noError(t, r.stop())
}
