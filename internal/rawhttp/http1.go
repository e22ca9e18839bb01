package rawhttp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
)

// conn1 is a connection that speaks HTTP/1.1. A goroutine reads, so that a closing is seen when it comes.
type conn1 struct {
	nc      net.Conn
	tcp     net.Conn // beneath TLS
	answers chan answer
	closed  chan struct{} // nobody takes answers any more
	over    chan struct{} // the reader has ended
	closing sync.Once
	onHead  func(int)
	ended   bool // the last answer said so, or was none
}

// Bounds of an answer's head: whoever answers may mean no good.
const (
	mostLine = 64 << 10 // bytes
	mostHead = 1 << 20  // bytes of an answer's lines, interim answers and trailers included
)

var errTooLong = errors.New("not HTTP: the header is too long")

// answer is the result of an exchange; last says that the connection ends with it.
type answer struct {
	Result
	last bool
}

func newConn1(nc, tcp net.Conn, onHead func(int)) *conn1 {
	c := &conn1{nc: nc, tcp: tcp, onHead: onHead, answers: make(chan answer, 1), closed: make(chan struct{}), over: make(chan struct{})}
	go c.read()
	return c
}

// read delivers the answers, until one is the last. A connection that the server has closed is closed here too: it may wait for that.
func (c *conn1) read() {
	defer close(c.over)
	br := bufio.NewReader(c.nc)
	for last := false; !last; {
		var r Result
		r, last = readAnswer(br, c.onHead)
		select {
		case c.answers <- answer{r, last}:
		case <-c.closed: // more than was asked for
			return
		}
		if r.Class != Answered {
			c.nc.Close()
		}
	}
}

func (c *conn1) usable() bool {
	if c.ended || arrived(c.tcp) {
		return false
	}
	select {
	case <-c.answers: // unasked for: the connection's end
		return false
	default:
		return true
	}
}

func (c *conn1) exchange(t *Target, began, deadline time.Time) Result {
	var b bytes.Buffer
	method := "GET"
	if t.Mode == KeepAlivePOST {
		method = "POST"
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, t.Path, t.Host)
	if t.Mode == NewConn {
		b.WriteString("Connection: close\r\n")
	}
	if t.Mode == KeepAlivePOST {
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(t.Body), t.Body)
	} else {
		b.WriteString("\r\n")
	}
	c.nc.SetDeadline(deadline)
	_, writeErr := c.nc.Write(b.Bytes())
	sent := time.Since(began)
	if writeErr != nil {
		c.nc.SetReadDeadline(time.Now().Add(time.Second))
	} else if t.OnSent != nil {
		t.OnSent()
	}
	// Where writing failed an answer may have come all the same, and if not, reading says how the connection ended.
	a := c.await()
	if a.Class == ClosedWithoutAnswer && isReset(writeErr) { // the kernel tells of a reset once
		a.Class, a.Err = Reset, writeErr
	}
	if writeErr == nil {
		a.Sent = sent
	}
	c.ended = a.last
	c.nc.SetDeadline(time.Time{})
	return a.Result
}

// await waits for the answer, or for the end of the reader, which delivers none when the connection was closed here.
func (c *conn1) await() answer {
	select {
	case a := <-c.answers:
		return a
	case <-c.over:
	}
	select {
	case a := <-c.answers:
		return a
	default:
		return answer{Result{Class: Broken, Err: net.ErrClosed}, true}
	}
}

func (c *conn1) close() {
	c.nc.Close()
	c.closing.Do(func() { close(c.closed) })
}

// readAnswer reads one response. Whatever is not Answered is the last.
func readAnswer(br *bufio.Reader, onHead func(int)) (r Result, last bool) {
	head := mostHead
	if _, err := br.Peek(1); err != nil {
		return Result{Class: ClassOf(err, ClosedWithoutAnswer), Err: err}, true
	}
	length, chunked := -1, false
	for {
		status, err := readLine(br, &head)
		if err != nil {
			return cut(0, err), true
		}
		version, rest, _ := strings.Cut(status, " ")
		code, _, _ := strings.Cut(rest, " ")
		if r.Status, err = strconv.Atoi(code); err != nil || r.Status < 100 || r.Status > 999 || !strings.HasPrefix(version, "HTTP/1.") {
			return Result{Class: Broken, Err: fmt.Errorf("not HTTP: %q", text.Short(status, 100))}, true
		}
		last = version == "HTTP/1.0"
		for {
			line, err := readLine(br, &head)
			if err != nil {
				return cut(r.Status, err), true
			}
			if line == "" {
				break
			}
			name, value, _ := strings.Cut(line, ":")
			value = strings.TrimSpace(value)
			switch strings.ToLower(name) {
			case "content-length":
				if length, err = strconv.Atoi(value); err != nil || length < 0 {
					return Result{Class: Broken, Status: r.Status, Err: fmt.Errorf("not HTTP: %q", text.Short(line, 100))}, true
				}
			case "transfer-encoding":
				chunked = strings.EqualFold(value, "chunked")
			case "connection":
				last = last || strings.EqualFold(value, "close")
			}
		}
		if r.Status >= 200 {
			break
		}
	}
	if onHead != nil {
		onHead(r.Status)
	}
	var err error
	switch {
	case r.Status == 204 || r.Status == 304:
	case chunked:
		err = readChunks(br, &head)
	case length >= 0:
		_, err = io.CopyN(io.Discard, br, int64(length))
	default: // until the end of the connection
		last = true
		_, err = io.Copy(io.Discard, br)
	}
	if err != nil {
		return cut(r.Status, err), true
	}
	return r, last
}

// cut is an answer that began and did not end.
func cut(status int, err error) Result {
	if errors.Is(err, errTooLong) {
		return Result{Class: Broken, Status: status, Err: err}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return Result{Class: Timeout, Status: status, Err: err}
	}
	return Result{Class: CutBody, Status: status, Err: err}
}

// readLine reads a line, and takes its length from what is left for the head.
func readLine(br *bufio.Reader, head *int) (string, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part...)
		if *head -= len(part); len(line) > mostLine || *head < 0 {
			return "", errTooLong
		}
		switch {
		case err == nil:
			return strings.TrimRight(string(line), "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return "", io.ErrUnexpectedEOF
		default:
			return "", err
		}
	}
}

func readChunks(br *bufio.Reader, head *int) error {
	for {
		line, err := readLine(br, head)
		if err != nil {
			return err
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 32)
		if err != nil {
			return fmt.Errorf("not HTTP: chunk of size %q", text.Short(size, 100))
		}
		if n > 0 {
			if _, err := io.CopyN(io.Discard, br, int64(n)+2); err != nil {
				return err
			}
			continue
		}
		for line != "" || n == 0 { // trailers, to the empty line
			if line, err = readLine(br, head); err != nil {
				return err
			}
			if line == "" {
				return nil
			}
		}
	}
}
