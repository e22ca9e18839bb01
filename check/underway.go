//go:build unix

package check

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
	"github.com/lastcall-go/lastcall/internal/text"
)

const (
	underWay = 4 // requests at the same time
	// slowAtLeast is how long the answer of a slow URL must take, so that a request is under way for certain when the signal comes.
	slowAtLeast = 100 * time.Millisecond
	// heldFor is how long an upload is held back after the signal has reached the daemon: more than it needs to do something about it.
	heldFor = time.Second
	// earlyWithin is how long is waited to see whether an upload is answered before it is complete.
	earlyWithin = time.Second
	readWithin  = 5 * time.Second // until the daemon has read what was sent
	// beginWithin is how long each step of beginning an upload may take. Who has not taken it by then serves others first.
	beginWithin = 10 * time.Second
	uploadSize  = 1024
)

// underway are requests that the daemon is serving.
type underway struct {
	tally
	what   string
	until  time.Time // they are under way for certain, and for long enough after it to be cut; zero: until finish is called
	finish func()    // lets them come to their end
	all    sync.WaitGroup
}

// await waits for the ends of all.
func (u *underway) await() { u.all.Wait() }

// awaitArrival waits until a signal has reached the daemon, which may not be let run for a while, or that has ended.
func (l *life) awaitArrival(s syscall.Signal) {
	for limit := time.Now().Add(l.r.Grace); pending(l.k.daemon, s) && time.Now().Before(limit) && !l.exits(time.Millisecond); {
		if l.r.ctx.Err() != nil {
			return
		}
	}
}

// heldRequests brings requests under way that end when they may, if the daemon takes uploads, and otherwise slow ones.
func (l *life) heldRequests() (u *underway, why string) {
	if l.r.url == nil {
		return l.slowRequests()
	}
	if u, why = l.slowUploads(); u == nil && l.r.slow != nil {
		return l.slowAnswers()
	}
	return u, why
}

// slowRequests brings requests under way: to the slow URL, or else as uploads that are not complete. It returns nil, and why, if
// neither can be.
func (l *life) slowRequests() (u *underway, why string) {
	switch {
	case l.r.url == nil:
		return nil, "nothing is known to speak HTTP: give a URL with --url"
	case l.r.slow != nil:
		return l.slowAnswers()
	}
	return l.slowUploads()
}

func (l *life) slowAnswers() (*underway, string) {
	target := l.r.slow.with(rawhttp.NewConn)
	c := rawhttp.NewClient(target)
	first := c.Exchange(l.r.ctx)
	c.Close()
	switch {
	case first.Class != rawhttp.Answered:
		return nil, fmt.Sprintf("%v gives no answer: %v", l.r.slow, first.Err)
	case first.Status >= 500:
		return nil, fmt.Sprintf("%v answers %d", l.r.slow, first.Status)
	case first.Took < slowAtLeast:
		return nil, fmt.Sprintf("%v answers in %v; a slow URL takes %v at the least", l.r.slow, text.Round(first.Took), slowAtLeast)
	}
	u := &underway{what: fmt.Sprintf("requests to %v, which takes %v", l.r.slow, text.Round(first.Took)), finish: func() {}}
	u.until = time.Now().Add(first.Took * 3 / 4)
	sent := make(chan struct{}, underWay)
	target.OnSent = func() { sent <- struct{}{} }
	for range underWay {
		u.all.Go(func() {
			c := rawhttp.NewClient(target)
			defer c.Close()
			r := c.Exchange(l.r.ctx)
			u.add(r)
			if r.Sent == 0 {
				sent <- struct{}{}
			}
		})
	}
	for range underWay {
		<-sent
	}
	for limit := time.Now().Add(readWithin); time.Now().Before(limit) && waiting(l.k.daemon, l.r.slow.port()) > 0 && !l.hasExited(); {
		time.Sleep(time.Millisecond)
	}
	l.exits(first.Took / 4) // from the read to the handler
	return u, ""
}

// slowUploads begins uploads on connections on which an answer has come already, and returns when the daemon has read their
// beginnings.
func (l *life) slowUploads() (*underway, string) {
	if l.r.url.onlyHTTP2() {
		return nil, fmt.Sprintf("uploads are sent over HTTP/1.1, which is not spoken at %v: give a URL whose answer takes a while with --slow", l.r.url)
	}
	if l.r.uploads == nil {
		why := l.tryUpload()
		l.r.uploads = &why
	}
	if *l.r.uploads != "" {
		return nil, fmt.Sprintf("an upload to %v %s: give a URL whose answer takes a while with --slow", l.r.url, *l.r.uploads)
	}
	release := make(chan struct{})
	u := &underway{what: fmt.Sprintf("uploads to %v", l.r.url), finish: sync.OnceFunc(func() { close(release) })}
	begun := make(chan struct{}, underWay)
	for range underWay {
		u.all.Go(func() {
			p, err := l.beginUpload()
			begun <- struct{}{}
			if err != nil {
				u.add(rawhttp.Result{Class: rawhttp.Broken, Err: err})
				return
			}
			u.add(p.end(release))
		})
	}
	for range underWay {
		<-begun
	}
	return u, ""
}

// upload is a POST of which a half has been sent.
type upload struct {
	conn  net.Conn
	from  uint16 // our port
	br    *bufio.Reader
	began time.Time
	again bool // an answer has come on the connection before
	last  bool // that said that it is the last
}

// beginUpload sends the half of an upload, on a connection on which an answer has come, as far as the daemon leaves that open, and
// returns when the daemon has read it. One that serves one connection after the other never reads those of others meanwhile.
func (l *life) beginUpload() (*upload, error) {
	t := l.r.url.Target
	p, err := l.dialUpload()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(p.conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", t.Path, t.Host)
	if err := p.answer().Err; err != nil {
		p.conn.Close()
		return nil, fmt.Errorf("a request before the upload: %w", err)
	}
	if p.again = !p.last; p.last {
		p.conn.Close()
		if p, err = l.dialUpload(); err != nil {
			return nil, err
		}
	}
	p.began = time.Now()
	_, err = fmt.Fprintf(p.conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		t.Path, t.Host, uploadSize, make([]byte, uploadSize/2))
	if err != nil {
		p.conn.Close()
		return nil, err
	}
	for limit := time.Now().Add(beginWithin); unread(l.k.daemon, l.r.port(), p.from) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			p.conn.Close()
			return nil, errors.New("the daemon does not read it")
		}
	}
	time.Sleep(10 * time.Millisecond) // from the read to the handler
	return p, nil
}

func (l *life) dialUpload() (*upload, error) {
	t := l.r.url.Target
	ctx, cancel := context.WithTimeout(l.r.ctx, beginWithin)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, rawhttp.Network(t.Addr), t.Addr)
	if err != nil {
		return nil, err
	}
	from := rawhttp.PortOf(conn)
	conn.SetDeadline(time.Now().Add(beginWithin))
	if t.TLS != nil {
		config := t.TLS.Clone()
		config.NextProtos = []string{"http/1.1"}
		conn = tls.Client(conn, config)
	}
	return &upload{conn: conn, from: from, br: bufio.NewReader(conn), began: time.Now()}, nil
}

// end sends the rest when it may, and is how the upload ended.
func (p *upload) end(release <-chan struct{}) rawhttp.Result {
	defer p.conn.Close()
	<-release
	p.conn.SetDeadline(time.Now().Add(answersWithin))
	_, writeErr := p.conn.Write(make([]byte, uploadSize-uploadSize/2))
	r := p.answer()
	if r.Class == rawhttp.ClosedWithoutAnswer && writeErr != nil {
		r.Class = rawhttp.Reset
	}
	r.Reused, r.Began, r.Sent, r.Took = p.again, p.began, time.Nanosecond, time.Since(p.began)
	return r
}

// answer reads one.
func (p *upload) answer() (r rawhttp.Result) {
	answer, err := http.ReadResponse(p.br, nil)
	if err == nil {
		r.Status, p.last = answer.StatusCode, answer.Close
		if _, err = io.Copy(io.Discard, answer.Body); err != nil {
			return rawhttp.Result{Class: rawhttp.CutBody, Status: r.Status, Err: err}
		}
		return r
	}
	return rawhttp.Result{Class: rawhttp.ClassOf(err, rawhttp.Broken), Err: err}
}

// tryUpload says why the daemon does not wait for the end of an upload before it answers, "" if it does.
func (l *life) tryUpload() string {
	p, err := l.beginUpload()
	if err != nil {
		return "cannot be begun (" + err.Error() + ")"
	}
	defer p.conn.Close()
	p.conn.SetReadDeadline(time.Now().Add(earlyWithin))
	switch _, err := p.br.Peek(1); {
	case err == nil:
		return "is answered before it is complete"
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return "is cut off before it is complete"
	}
	release := make(chan struct{})
	close(release)
	switch r := p.end(release); {
	case r.Class != rawhttp.Answered:
		return "gets no answer"
	case r.Status >= 500:
		return fmt.Sprintf("is answered with %d", r.Status)
	}
	return ""
}
