//go:build unix

package check

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
)

// webSocket is a client that only reads, see RFC 6455.
type webSocket struct {
	conn net.Conn
	br   *bufio.Reader
}

const (
	opcodeClose = 0x8
	opcodePing  = 0x9
	opcodePong  = 0xA
	// mostFrame is how much of a frame is taken: a stream of events has small ones.
	mostFrame = 16 << 20
)

func openWebSocket(ctx context.Context, t *target) (_ stream, err error) {
	ctx, cancel := context.WithTimeout(ctx, askedWithin)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, rawhttp.Network(t.Addr), t.Addr)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			conn.Close()
		}
	}()
	_ = conn.SetDeadline(time.Now().Add(askedWithin))
	if t.TLS != nil {
		config := t.TLS.Clone()
		config.NextProtos = []string{"http/1.1"}
		conn = tls.Client(conn, config)
	}
	key := make([]byte, 16)
	_, _ = rand.Read(key) // it does not fail
	if _, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
		t.Path, t.Host, base64.StdEncoding.EncodeToString(key)); err != nil {
		return nil, err
	}
	br := bufio.NewReader(conn)
	answer, err := http.ReadResponse(br, nil)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusSwitchingProtocols || !strings.EqualFold(answer.Header.Get("Upgrade"), "websocket") {
		return nil, fmt.Errorf("it does not become a WebSocket: the answer's status is %d", answer.StatusCode)
	}
	_ = conn.SetDeadline(time.Time{})
	return &webSocket{conn, br}, nil
}

func (w *webSocket) await() streamEnd {
	code, err := w.frames()
	end := streamEnd{at: time.Now(), how: "closed without a close frame"}
	switch {
	case err == nil:
		const goingAway, restart, normal = 1001, 1012, 1000
		end.well = code == goingAway || code == restart || code == normal
		end.how = fmt.Sprintf("closed with code %d", code)
	case !errors.Is(err, io.EOF):
		end.how = "cut in the middle"
	}
	return end
}

// frames reads to the close frame, whose code it returns (1005 if it has none, see section 7.1.5), and answers pings.
func (w *webSocket) frames() (code int, err error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(w.br, head[:]); err != nil {
			return 0, err
		}
		opcode, length := head[0]&0xF, uint64(head[1]&0x7F)
		switch length {
		case 126:
			var n [2]byte
			if _, err := io.ReadFull(w.br, n[:]); err != nil {
				return 0, err
			}
			length = uint64(binary.BigEndian.Uint16(n[:]))
		case 127:
			var n [8]byte
			if _, err := io.ReadFull(w.br, n[:]); err != nil {
				return 0, err
			}
			length = binary.BigEndian.Uint64(n[:])
		}
		switch {
		case head[1]&0x80 != 0:
			return 0, errors.New("a server's frame is masked")
		case length > mostFrame:
			return 0, fmt.Errorf("a frame of %d bytes", length)
		case opcode != opcodeClose && opcode != opcodePing:
			if _, err := io.CopyN(io.Discard, w.br, int64(length)); err != nil {
				return 0, err
			}
			continue
		case length > 125: // section 5.5
			return 0, fmt.Errorf("a control frame of %d bytes", length)
		}
		payload := make([]byte, length)
		if _, err := io.ReadFull(w.br, payload); err != nil {
			return 0, err
		}
		if opcode == opcodePing {
			w.send(opcodePong, payload)
			continue
		}
		w.send(opcodeClose, payload[:min(len(payload), 2)])
		if len(payload) < 2 {
			return 1005, nil
		}
		return int(binary.BigEndian.Uint16(payload)), nil
	}
}

// send sends a control frame, masked with zeros.
func (w *webSocket) send(opcode byte, payload []byte) {
	_ = w.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = w.conn.Write(append([]byte{0x80 | opcode, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...))
}

func (w *webSocket) close() { w.conn.Close() }
