//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall"
)

const (
	firstPause = 10 * time.Millisecond // between two looks whether a child is ready; it doubles
	lastPause  = time.Second
	lookWithin = 5 * time.Second // the time one look has
)

// watchReady sees to it that c.becameReady gets nil when the child is ready, or why it cannot become so. It ends with ctx.
func (c *child) watchReady(ctx context.Context) {
	r := &c.p.Ready
	switch {
	case r.Notify, r.Log != nil, r.Exit: // they tell by themselves
	case r.FD != 0:
		go func() { c.tellReady(newlineOn(c.readyPipe)) }()
	case r.Delay > 0:
		go func() {
			if lastcall.Sleep(ctx, r.Delay) == nil {
				c.tellReady(nil)
			}
		}()
	case r.TCP != "" || r.HTTP != "" || len(r.Exec) > 0:
		look := c.look(r.TCP, r.HTTP, r.Exec)
		go func() {
			for pause := firstPause; ; pause = min(2*pause, lastPause) {
				err := within(ctx, lookWithin, look)
				if err == nil {
					c.tellReady(nil)
					return
				}
				if ctx.Err() == nil {
					c.lastLook.Store(&err)
				}
				if lastcall.Sleep(ctx, pause) != nil {
					return
				}
			}
		}()
	}
}

// tellReady never blocks: the first word counts.
func (c *child) tellReady(err error) {
	select {
	case c.becameReady <- err:
	default:
	}
}

// watchAlive repeats the check until it fails too often, and tells c.sick, or ctx ends.
func (c *child) watchAlive(ctx context.Context) {
	if c.p.Alive.ways() == 0 {
		return
	}
	a := c.p.Alive
	orDefault(&a.Every, 10*time.Second)
	orDefault(&a.Within, 5*time.Second)
	if a.Failures <= 0 {
		a.Failures = 3
	}
	look := c.look(a.TCP, a.HTTP, a.Exec)
	go func() {
		for failures := 0; lastcall.Sleep(ctx, a.Every) == nil; {
			err := within(ctx, a.Within, look)
			if err == nil {
				failures = 0
				continue
			}
			if lacking(err) && !(errors.Is(err, syscall.ENOMEM) && c.p.Limits.Memory > 0) { // it is this process that lacks something, and the look says nothing of the child
				continue
			}
			if failures++; failures >= a.Failures && ctx.Err() == nil {
				c.tellSick(fmt.Errorf("failed its check %d times in a row: %w", failures, err))
				return
			}
		}
	}()
}

// tellSick never blocks: the first word counts.
func (c *child) tellSick(err error) {
	select {
	case c.sick <- err:
	default:
	}
}

func orDefault(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

// look is the one of the three that is set, as a function.
func (c *child) look(tcp, url string, command []string) func(context.Context) error {
	switch {
	case tcp != "":
		return func(ctx context.Context) error {
			conn, err := c.dial(ctx, "tcp", tcp)
			if err == nil {
				conn.Close()
			}
			return err
		}
	case url != "":
		client := &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true, DialContext: c.dial},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		return func(ctx context.Context) error {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return err
			}
			response, err := client.Do(request)
			if err != nil {
				return err
			}
			response.Body.Close()
			if response.StatusCode < 200 || response.StatusCode > 399 {
				return fmt.Errorf("%s: %s", url, response.Status)
			}
			return nil
		}
	}
	return func(ctx context.Context) error { return c.probe(ctx, command) }
}

// newlineOn waits for a newline on the child's descriptor.
func newlineOn(pipe interface{ Read([]byte) (int, error) }) error {
	buf := make([]byte, 64)
	for {
		n, err := pipe.Read(buf)
		if bytes.IndexByte(buf[:n], '\n') >= 0 {
			return nil
		}
		if err != nil {
			return errors.New("it closed the descriptor without a newline")
		}
	}
}

// logLine looks for the line that means ready; nil if there is none.
func (c *child) logLine() func([]byte) bool {
	var re *regexp.Regexp
	if re = c.p.Ready.Log; re == nil {
		return nil
	}
	return func(line []byte) bool {
		if !re.Match(line) {
			return true
		}
		c.tellReady(nil)
		return false
	}
}
