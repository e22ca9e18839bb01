//go:build unix

package check

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
)

const (
	// bodyWithin is how long the body of an answer may take where only the status is asked for: the rest is not waited for.
	bodyWithin = 250 * time.Millisecond
	// wholeWithin is how long a whole answer may take before it counts as a stream, which ends when the server says so.
	wholeWithin = 10 * time.Second
)

// status is that of the answer to one request, 0 if none came in time. An answer that is a stream has begun, and counts.
func (t *target) status(ctx context.Context, within time.Duration) int {
	return t.answer(ctx, within, bodyWithin).status
}

// answer is how a URL answered once.
type answer struct {
	status int           // 0: it did not
	took   time.Duration // to the end
	stream bool          // it began, and did not end in time
}

// answer sends one request. The head of the answer must come in one time, and the rest of it in another.
func (t *target) answer(ctx context.Context, head, rest time.Duration) answer {
	r, stream := t.exchange(ctx, rawhttp.NewConn, head, rest)
	if r.Class != rawhttp.Answered {
		return answer{took: r.Took}
	}
	return answer{status: r.Status, took: r.Took, stream: stream}
}

// exchange is one exchange on a connection of its own. An answer whose rest does not come in time is Answered, and a stream.
func (t *target) exchange(ctx context.Context, mode rawhttp.Mode, head, rest time.Duration) (r rawhttp.Result, stream bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	one := t.with(mode)
	one.Timeout, one.Cut = head+rest+time.Second, true
	late := time.AfterFunc(head, cancel)
	var goesOn atomic.Bool
	one.OnHead = func(int) {
		late.Stop()
		late = time.AfterFunc(rest, func() {
			goesOn.Store(true)
			cancel()
		})
	}
	c := rawhttp.NewClient(one)
	defer c.Close()
	r = c.Exchange(ctx)
	late.Stop()
	if goesOn.Load() && r.Class != rawhttp.Answered {
		r.Class, r.Err, stream = rawhttp.Answered, nil, true
	}
	return r, stream
}

// sortURLs finds out which URLs are slow and which are streams. Readiness and load need a URL that answers at once: where the one
// given is slow, that is the root of its server, if that is quick, and the slow one is for requests under way.
func (l *life) sortURLs() {
	r := l.r
	var slow, url answer
	var all sync.WaitGroup
	if r.slow != nil {
		all.Go(func() { slow = r.slow.answer(r.ctx, askedWithin, wholeWithin) })
	}
	if r.URL != "" {
		all.Go(func() { url = r.url.quickest() })
	}
	all.Wait()
	if slow.stream {
		r.stream, r.slow = r.slow, nil
	}
	if url.took < slowAtLeast && !url.stream {
		return
	}
	root := r.url.root()
	if quick := root.quickest(); quick.status == 0 || quick.status >= 500 || quick.stream || quick.took > url.took/2 {
		return
	}
	if url.stream && r.stream == nil {
		r.stream = r.url
	} else if r.slow == nil {
		r.slow = r.url
	}
	r.url = root
}

// quickest is the quicker of two answers: the first of a daemon's life may take longer.
func (t *target) quickest() answer {
	first := t.answer(context.Background(), askedWithin, wholeWithin)
	if first.stream || first.took < slowAtLeast {
		return first
	}
	if second := t.answer(context.Background(), askedWithin, wholeWithin); second.status > 0 && second.took < first.took {
		return second
	}
	return first
}

// root is the path / of the same server.
func (t *target) root() *target {
	own := *t
	own.Path, own.socket = "/", false
	scheme := "http"
	if t.TLS != nil {
		scheme = "https"
	}
	own.text = fmt.Sprintf("%s://%s/", scheme, t.Host)
	if rawhttp.Network(t.Addr) == "unix" {
		own.text = "unix:" + t.Addr + ":/"
	}
	return &own
}
