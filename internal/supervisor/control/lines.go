package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

const (
	soon       = 10 * time.Millisecond // that a line may lie while others come
	mostUnread = 1000                  // lines of progress kept for a client that does not read
)

// last is the last line of an answer.
type last struct {
	Done bool `json:"done,omitempty"`
	*Error
}

// lines is an answer of lines of JSON, sent while they come. A client that does not read holds up its own answer only,
// and that until the server closes.
type lines struct {
	server  *Server
	w       http.ResponseWriter
	control *http.ResponseController
	release func() bool

	mu      sync.Mutex
	out     *bufio.Writer // nil before the first line
	flusher *time.Timer   // set while lines lie in out
	err     error         // of the connection
	ended   bool          // the answer is over, and its connection another's business
}

func (s *Server) lines(w http.ResponseWriter) *lines {
	l := &lines{server: s, w: w, control: http.NewResponseController(w)}
	l.release = context.AfterFunc(s.leaving, l.hurry)
	return l
}

// hurry gives the client a last moment to read.
func (l *lines) hurry() { l.control.SetWriteDeadline(time.Now().Add(closingWait)) }

// write sends a line now.
func (l *lines) write(text []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(text)
	return l.flush()
}

// writeSoon sends a line together with others that come soon.
func (l *lines) writeSoon(text []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(text)
	if l.flusher == nil {
		l.flusher = time.AfterFunc(soon, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if !l.ended {
				_ = l.flush() // the next line is told
			}
		})
	}
	return l.err
}

// add puts a line behind the others, with l locked.
func (l *lines) add(text []byte) {
	if l.out == nil {
		l.w.Header().Set("Content-Type", "application/x-ndjson")
		l.out = bufio.NewWriterSize(l.w, 1<<14)
	}
	if l.err == nil {
		_, l.err = l.out.Write(append(text, '\n'))
	}
}

// flush sends what was added, with l locked.
func (l *lines) flush() error {
	if l.flusher != nil {
		l.flusher.Stop()
		l.flusher = nil
	}
	if l.err == nil {
		l.err = l.out.Flush()
	}
	if l.err == nil {
		l.err = l.control.Flush()
	}
	return l.err
}

// end sends how it went. If that is all that there is to send, an error has its own HTTP status.
func (l *lines) end(err error) {
	l.release()
	if l.server.leaving.Err() != nil {
		l.hurry()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.add(marshal(last{Done: true}))
	case l.out != nil:
		l.add(marshal(last{Error: asError(err)}))
	default:
		refuse(l.w, err)
	}
	if l.out != nil {
		_ = l.flush() // nobody is left to be told
	}
	l.ended = true
}

// answer is the answer to an order.
type answer struct {
	*lines

	mu      sync.Mutex
	unread  []string
	over    bool          // what comes now comes too late
	writing chan struct{} // closed when the goroutine that writes unread has ended; nil without one
}

// progress is called by the Backend, from any goroutine, and does not wait for the client.
func (a *answer) progress(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.unread) == mostUnread {
		a.unread = a.unread[1:]
	}
	a.unread = append(a.unread, text)
	if a.writing == nil && !a.over {
		a.writing = make(chan struct{})
		go a.tell(a.writing)
	}
}

// tell writes until there is nothing to write.
func (a *answer) tell(writing chan struct{}) {
	defer close(writing)
	for {
		a.mu.Lock()
		unread := a.unread
		if a.unread = nil; len(unread) == 0 {
			a.writing = nil
			a.mu.Unlock()
			return
		}
		a.mu.Unlock()
		for _, text := range unread {
			_ = a.writeSoon(marshal(map[string]string{"progress": text})) // the order goes on without the client
		}
	}
}

// end waits until progress is sent, and sends how it went.
func (a *answer) end(err error) {
	a.mu.Lock()
	a.over = true
	writing := a.writing
	a.mu.Unlock()
	if writing != nil {
		<-writing
	}
	a.lines.end(err)
}

// unmarshal reads JSON, and takes only what it knows.
func unmarshal(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
