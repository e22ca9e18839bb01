package rawhttp

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2/hpack"
)

// said is a connection to a server that says something, whatever it is asked, and closes.
type said struct {
	io.Reader
	mu      sync.Mutex
	written int
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written += len(p)
	return len(p), nil
}
func (s *said) Close() error                     { return nil }
func (s *said) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (s *said) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (s *said) SetDeadline(time.Time) error      { return nil }
func (s *said) SetReadDeadline(time.Time) error  { return nil }
func (s *said) SetWriteDeadline(time.Time) error { return nil }

// checkResult says what is wrong with any result.
func checkResult(t *testing.T, r Result) {
	t.Helper()
	if r.Class == Answered && (r.Err != nil || r.Status < 100 || r.Status > 999) {
		t.Fatalf("answered with status %d and %v", r.Status, r.Err)
	}
	if r.Class != Answered && r.Err == nil {
		t.Fatalf("%v without an error", r.Class)
	}
	if r.Err != nil && len(r.Err.Error()) > 1<<10 {
		t.Fatalf("an error of %d bytes", len(r.Err.Error()))
	}
}

// Whatever a server answers, reading it ends, and says what it was.
func FuzzHTTP1(f *testing.F) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nto the end",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nTrailer: x\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", "HTTP/1.1 -1 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n", "SSH-2.0-x\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n",
	} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answers []byte) {
		in := bytes.NewReader(answers)
		br := bufio.NewReader(in)
		for n := 0; ; n++ {
			before := in.Len() + br.Buffered()
			r, last := readAnswer(br, nil)
			checkResult(t, r)
			if last {
				return
			}
			if in.Len()+br.Buffered() >= before {
				t.Fatalf("answer %d took nothing", n)
			}
		}
	})
}

// A head without an end costs what the bound says, and no more.
func TestHeadIsBounded(t *testing.T) {
	for name, answer := range map[string]io.Reader{
		"a line":    io.MultiReader(strings.NewReader("HTTP/1.1 200 "), endless("x")),
		"fields":    io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\n"), endless("a: b\r\n")),
		"interims":  endless("HTTP/1.1 100 Continue\r\n\r\n"),
		"trailers":  io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"), endless("a: b\r\n")),
		"extension": io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"), endless("x")),
	} {
		counted := &counter{r: answer}
		r, last := readAnswer(bufio.NewReader(counted), nil)
		if r.Class != Broken || !last {
			t.Errorf("%s: %v, last %v: %v", name, r.Class, last, r.Err)
		}
		if counted.n > 2*mostHead {
			t.Errorf("%s: %d bytes were read", name, counted.n)
		}
	}
}

// endless repeats a text without end.
type endless string

func (e endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		n += copy(p[n:], e[:min(len(e), len(p)-n)])
	}
	return n, nil
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// A server that answers more than it was asked holds no goroutine after the connection was closed.
func TestUnaskedAnswersHoldNothing(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	c := newConn1(ours, ours, nil)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range 3 { // one is kept, one waits, one is in the pipe
			if _, err := io.WriteString(theirs, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
				return
			}
		}
	}()
	c.close()
	for what, ended := range map[string]chan struct{}{"the server's writes": sent, "the reader": c.over} {
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Fatalf("%s did not end when the client had closed", what)
		}
	}
}

// Whatever a server says in HTTP/2, each exchange gets one result, and the reader ends with the connection.
func FuzzHTTP2(f *testing.F) {
	var block bytes.Buffer
	_ = hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	settings := frame(frameSettings, 0, 0, nil)
	f.Add(append(settings, frame(frameHeaders, flagEndHeaders|flagEndStream, 1, block.Bytes())...))
	f.Add(append(frame(frameHeaders, flagEndHeaders, 1, block.Bytes()), frame(frameData, flagEndStream, 1, []byte("ok"))...))
	f.Add(frame(frameData, flagEndStream, 1, []byte("an end without a beginning")))
	f.Add(frame(frameGoAway, 0, 0, make([]byte, 8)))
	f.Add(frame(frameReset, 0, 1, []byte{0, 0, 0, refusedStream}))
	f.Add(frame(framePing, 0, 0, make([]byte, 8)))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Fuzz(func(t *testing.T, says []byte) {
		s := &said{Reader: bytes.NewReader(says)}
		c := newConn2(s, nil)
		results := make(chan Result, 2)
		go func() {
			for range 2 {
				results <- c.exchange(&Target{Path: "/", Host: "x"}, time.Now(), time.Time{})
			}
		}()
		for range 2 {
			select {
			case r := <-results:
				checkResult(t, r)
			case <-time.After(time.Minute):
				t.Fatalf("an exchange had no result: %q", says)
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if most := 1000 + 100*len(says); s.written > most {
			t.Fatalf("%d bytes were answered by %d", len(says), s.written)
		}
	})
}
