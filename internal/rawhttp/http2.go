package rawhttp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/http2/hpack"

	"github.com/lastcall-go/lastcall/internal/text"
)

// The part of HTTP/2 (RFC 9113) that one request after the other needs.
const (
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameSettings     = 0x4
	framePing         = 0x6
	frameGoAway       = 0x7
	frameWindowUpdate = 0x8
	frameContinuation = 0x9

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	refusedStream = 0x7 // error code

	mostFrame = 1 << 14 // bytes, which is what a server may send that was not told otherwise
)

// conn2 is a connection that speaks HTTP/2, with one stream at a time. A goroutine reads.
type conn2 struct {
	onHead  func(int)
	nc      net.Conn
	writing sync.Mutex // who answers the server's frames and who sends requests write
	answers chan Result

	mu     sync.Mutex
	next   uint32 // the next stream
	stream uint32 // the one under way, or 0
	status int    // of its answer, if that began
	away   bool   // the server said GOAWAY,
	last   uint32 // and up to where it processes streams
	dead   bool   // the reader has ended
	reset  error  // writing met a reset: the kernel tells of it once, and the reader sees an orderly end
}

func newConn2(nc net.Conn, onHead func(int)) *conn2 {
	c := &conn2{nc: nc, onHead: onHead, answers: make(chan Result, 1), next: 1}
	c.writing.Lock()
	hello := append([]byte(preface), frame(frameSettings, 0, 0, []byte{0, 2, 0, 0, 0, 0})...) // no push
	_, err := nc.Write(hello)
	c.writing.Unlock()
	if err == nil {
		go c.read()
	} else {
		c.dead = true
	}
	return c
}

func (c *conn2) usable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.dead && !c.away
}

func (c *conn2) exchange(t *Target, began, deadline time.Time) Result {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encoder.SetMaxDynamicTableSize(0)
	scheme := "http"
	if t.TLS != nil {
		scheme = "https"
	}
	for _, f := range []hpack.HeaderField{
		{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: scheme}, {Name: ":authority", Value: t.Host}, {Name: ":path", Value: t.Path},
	} {
		_ = encoder.WriteField(f)
	}

	c.mu.Lock()
	if c.dead {
		c.mu.Unlock()
		return Result{Class: ClosedWithoutAnswer, Err: io.EOF}
	}
	c.stream, c.status = c.next, 0
	c.next += 2
	stream := c.stream
	c.mu.Unlock()

	c.nc.SetReadDeadline(deadline)
	err := c.write(frame(frameHeaders, flagEndStream|flagEndHeaders, stream, block.Bytes()))
	sent := time.Since(began)
	if err == nil && t.OnSent != nil {
		t.OnSent()
	}
	r := <-c.answers
	if err == nil {
		r.Sent = sent
	}
	c.nc.SetReadDeadline(time.Time{})
	return r
}

func (c *conn2) close() { c.nc.Close() }

func (c *conn2) write(p []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.nc.Write(p)
	if isReset(err) {
		c.mu.Lock()
		c.reset = err
		c.mu.Unlock()
	}
	return err
}

// frame is a frame as it goes over the wire.
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	b := make([]byte, 9, 9+len(payload))
	binary.BigEndian.PutUint32(b, uint32(len(payload))<<8|uint32(kind))
	b[4] = flags
	binary.BigEndian.PutUint32(b[5:], stream)
	return append(b, payload...)
}

// read follows the connection to its end, and delivers one result for each stream.
func (c *conn2) read() {
	err := c.frames()
	defer c.nc.Close() // the server may wait for that
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
	if c.stream == 0 {
		return
	}
	r := Result{Class: ClassOf(err, Broken), Err: err}
	if r.Class == ClosedWithoutAnswer && c.reset != nil {
		r = Result{Class: Reset, Err: c.reset}
	}
	switch {
	case c.status != 0:
		r = cut(c.status, err)
	case c.away && c.stream > c.last:
		r.Class = RefusedStream
	}
	c.finish(r)
}

// finish delivers the result of the stream under way.
func (c *conn2) finish(r Result) {
	c.stream = 0
	c.answers <- r
}

func (c *conn2) frames() error {
	br := bufio.NewReader(c.nc)
	decoder := hpack.NewDecoder(4096, nil)
	decoder.SetMaxStringLength(mostLine)
	var head [9]byte
	for {
		if _, err := io.ReadFull(br, head[:]); err != nil {
			return err
		}
		length := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
		kind, flags := head[3], head[4]
		stream := binary.BigEndian.Uint32(head[5:]) &^ (1 << 31)
		if length > mostFrame {
			return fmt.Errorf("not HTTP/2: a frame of %d bytes, where %d may be", length, mostFrame)
		}
		payload := make([]byte, length)
		if _, err := io.ReadFull(br, payload); err != nil {
			return err
		}
		switch kind {
		case frameSettings:
			if flags&flagAck == 0 {
				_ = c.write(frame(frameSettings, flagAck, 0, nil))
			}
		case framePing:
			if flags&flagAck == 0 {
				_ = c.write(frame(framePing, flagAck, 0, payload))
			}
		case frameGoAway:
			if length < 8 {
				return fmt.Errorf("not HTTP/2: GOAWAY of %d bytes", length)
			}
			c.mu.Lock()
			c.away, c.last = true, binary.BigEndian.Uint32(payload)&^(1<<31)
			if c.stream > c.last {
				c.finish(Result{Class: RefusedStream, Err: fmt.Errorf("GOAWAY: stream %d is above %d", c.stream, c.last)})
			}
			idle := c.stream == 0
			c.mu.Unlock()
			if idle {
				c.nc.Close()
			}
		case frameReset:
			class := Reset
			if length == 4 && binary.BigEndian.Uint32(payload) == refusedStream {
				class = RefusedStream
			}
			c.ends(stream, Result{Class: class, Err: fmt.Errorf("stream reset by the server, code %x", payload[:min(len(payload), 4)])})
		case frameHeaders:
			if flags&flagEndHeaders == 0 {
				return fmt.Errorf("a header of more than one frame is not supported")
			}
			status, err := readStatus(decoder, flags, payload)
			if err != nil {
				return err
			}
			c.mu.Lock()
			if stream == c.stream && c.status < 200 && status != 0 {
				c.status = status
			}
			c.mu.Unlock()
			if c.onHead != nil && status >= 200 {
				c.onHead(status)
			}
			if flags&flagEndStream != 0 {
				c.ends(stream, Result{})
			}
		case frameContinuation:
			return fmt.Errorf("a header of more than one frame is not supported")
		case frameData:
			if length > 0 { // give the window back, of the connection and of the stream
				var n [4]byte
				binary.BigEndian.PutUint32(n[:], uint32(length))
				update := frame(frameWindowUpdate, 0, 0, n[:])
				if flags&flagEndStream == 0 {
					update = append(update, frame(frameWindowUpdate, 0, stream, n[:])...)
				}
				_ = c.write(update)
			}
			if flags&flagEndStream != 0 {
				c.ends(stream, Result{})
			}
		}
	}
}

// ends delivers the result of this stream if it is under way. After GOAWAY the connection ends with it.
func (c *conn2) ends(stream uint32, r Result) {
	c.mu.Lock()
	r.Status = c.status
	switch {
	case r.Class == Reset && c.status != 0:
		r.Class = CutBody
	case r.Class == Answered && c.status < 200: // trailers, or a body, of nothing
		r.Class, r.Err = Broken, errors.New("not HTTP/2: the stream ended without an answer")
	}
	if stream == c.stream && stream != 0 {
		c.finish(r)
	}
	away := c.away && c.stream == 0
	c.mu.Unlock()
	if away {
		c.nc.Close()
	}
}

// readStatus decodes a header block and returns its :status, or 0 if it has none (trailers).
func readStatus(decoder *hpack.Decoder, flags byte, payload []byte) (status int, err error) {
	if flags&flagPadded != 0 && len(payload) > 0 {
		pad := int(payload[0])
		payload = payload[1:max(1, len(payload)-pad)]
	}
	if flags&flagPriority != 0 && len(payload) >= 5 {
		payload = payload[5:]
	}
	fields, err := decoder.DecodeFull(payload)
	if err != nil {
		return 0, err
	}
	for _, f := range fields {
		if f.Name != ":status" {
			continue
		}
		if status, err = strconv.Atoi(f.Value); err != nil || status < 100 || status > 999 {
			return 0, fmt.Errorf("not HTTP/2: the status is %q", text.Short(f.Value, 100))
		}
	}
	return status, nil
}
