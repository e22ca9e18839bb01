package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/timeline"
)

const (
	closingWait = 500 * time.Millisecond // to read, for a client of a server that closes
	sparing     = 100 * time.Millisecond // at least, between two lists for one who watches
	slowest     = 10 * time.Second       // to send an order
	largest     = 1 << 20                // bytes of an order
)

var errLeaving = &Error{KindLeaving, "lastcall up is stopping and takes no more requests"}

// Server answers what comes in by a Listener.
type Server struct {
	backend  Backend
	listener *Listener
	http     http.Server
	served   chan struct{} // no more connections come
	leaving  context.Context
	leave    context.CancelFunc // Close was called

	released chan struct{} // the Listener is closed

	mu         sync.Mutex
	busy       map[net.Conn]bool // connections with a request that is not answered to its end
	outlasting map[net.Conn]bool // of those, the ones that wait for released
	empty      chan struct{}     // closed when nobody is awaited; nil unless Close waits
}

// Serve answers requests for b until Close. Each has a goroutine of its own, and none while nobody asks.
func Serve(l *Listener, b Backend) *Server {
	s := &Server{backend: b, listener: l, served: make(chan struct{}), released: make(chan struct{}),
		busy: map[net.Conn]bool{}, outlasting: map[net.Conn]bool{}}
	s.leaving, s.leave = context.WithCancel(context.Background())
	s.http = http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: slowest,
		MaxHeaderBytes:    1 << 16,
		Protocols:         new(http.Protocols),
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connection{}, c) },
		ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				s.answered(c)
			}
		},
	}
	s.http.Protocols.SetHTTP1(true)
	s.http.SetKeepAlivesEnabled(false) // so that the end of an answer is the end of its connection
	go func() {
		defer close(s.served)
		_ = s.http.Serve(l.door) // until it is closed
	}()
	return s
}

// Close takes no more requests, and takes the socket away when those under way have been answered: /logs and /watch end,
// an order ends when the Backend's method returns. What is not over when ctx ends is broken off. It belongs to the very
// end of a supervisor: from then on another one may listen.
func (s *Server) Close(ctx context.Context) error {
	s.leave()
	s.listener.door.Close()
	<-s.served
	err := s.await(ctx)
	s.listener.Close()
	close(s.released)
	soon, cancel := context.WithTimeout(context.Background(), closingWait)
	defer cancel()
	_ = s.await(soon) // of those that outlast it, one may have gone
	s.http.Close()
	return err
}

// await waits until all requests are answered but those that outlast the Listener, unless it is closed already.
func (s *Server) await(ctx context.Context) error {
	empty := make(chan struct{})
	s.mu.Lock()
	s.empty = empty
	s.closeIfEmpty()
	s.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// outlast holds up a request until the Listener is closed.
func (s *Server) outlast(ctx context.Context) {
	c := ctx.Value(connection{}).(net.Conn)
	s.mu.Lock()
	delete(s.busy, c)
	s.closeIfEmpty()
	s.outlasting[c] = true
	s.mu.Unlock()
	select {
	case <-s.released:
	case <-ctx.Done():
	}
}

// closeIfEmpty tells await, with s locked.
func (s *Server) closeIfEmpty() {
	open := len(s.busy)
	select {
	case <-s.released:
		open += len(s.outlasting)
	default:
	}
	if open == 0 && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
}

// connection is the key of a request's connection in its context.
type connection struct{}

func (s *Server) answered(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, c)
	delete(s.outlasting, c)
	s.closeIfEmpty()
}

// handler is the table of what can be asked.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	ask := func(pattern string, handle func(w http.ResponseWriter, r *http.Request)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			leaves := s.leaving.Err() != nil
			if !leaves {
				s.busy[r.Context().Value(connection{}).(net.Conn)] = true
			}
			s.mu.Unlock()
			if leaves {
				refuse(w, errLeaving)
				return
			}
			handle(w, r)
		})
	}
	ask("GET /ps", s.list)
	ask("GET /watch", s.watch)
	ask("GET /logs", s.logs)
	ask("GET /report", s.report)
	tell := func(name string, do func(ctx context.Context, o order, progress func(string)) error) {
		ask("POST /"+name, func(w http.ResponseWriter, r *http.Request) {
			o, err := s.readOrder(w, r)
			if err != nil {
				refuse(w, err)
				return
			}
			a := &answer{lines: s.lines(w)}
			a.end(do(r.Context(), o, a.progress))
		})
	}
	named := func(name, instead string, do func(ctx context.Context, o order, progress func(string)) error) {
		tell(name, func(ctx context.Context, o order, progress func(string)) error {
			if len(o.Names) == 0 {
				return &Error{KindUsage, name + ": no names" + instead}
			}
			return do(ctx, o, progress)
		})
	}
	b := s.backend
	named("start", "", func(ctx context.Context, o order, progress func(string)) error {
		return b.Start(ctx, o.Names, progress)
	})
	named("stop", "; down stops everything", func(ctx context.Context, o order, progress func(string)) error { return b.Stop(ctx, o.Names, progress) })
	named("restart", "", func(ctx context.Context, o order, progress func(string)) error {
		return b.Restart(ctx, o.Names, progress)
	})
	named("signal", "", func(ctx context.Context, o order, _ func(string)) error { return b.Signal(ctx, o.Names, o.Signal) })
	tell("reload", func(ctx context.Context, o order, progress func(string)) error {
		return b.Reload(ctx, o.Names, progress)
	})
	tell("scale", func(ctx context.Context, o order, progress func(string)) error {
		if len(o.Instances) == 0 {
			return &Error{KindUsage, "scale: no names"}
		}
		for name, n := range o.Instances {
			if n < 0 {
				return &Error{KindUsage, "scale: " + name + ": less than no instances: " + strconv.Itoa(n)}
			}
		}
		return b.Scale(ctx, o.Instances, progress)
	})
	tell("down", func(ctx context.Context, _ order, progress func(string)) error {
		err := b.Down(ctx, progress)
		s.outlast(ctx) // so that another lastcall up can follow this answer
		return err
	})
	return mux
}

// order is the body of a POST.
type order struct {
	Names     []string       `json:"names,omitempty"`
	Signal    string         `json:"signal,omitempty"`
	Instances map[string]int `json:"instances,omitempty"`
}

// readOrder reads the body to its end: only then does the context tell when the client goes away.
func (s *Server) readOrder(w http.ResponseWriter, r *http.Request) (o order, err error) {
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Now().Add(slowest))
	defer context.AfterFunc(s.leaving, func() { control.SetReadDeadline(time.Now()) })() // who has not sent it by then is not waited for
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largest))
	if err == nil {
		err = control.SetReadDeadline(time.Time{})
	}
	if err == nil && len(body) > 0 {
		err = unmarshal(body, &o)
	}
	if err != nil {
		return o, &Error{KindUsage, "not an order: " + err.Error()}
	}
	return o, nil
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	list, err := s.backend.List(r.Context(), r.URL.Query().Get("usage") != "false")
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, list)
}

// watch writes the list whenever it has changed. With every=TIME it also looks that often whether something has that is no
// event, and with usage=true the list has what the processes use.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	form := r.URL.Query()
	var q WatchQuery
	var problems [2]error
	if text := form.Get("every"); text != "" {
		q.Every, problems[0] = time.ParseDuration(text)
	}
	if text := form.Get("usage"); text != "" {
		q.Usage, problems[1] = strconv.ParseBool(text)
	}
	if err := errors.Join(problems[:]...); err != nil {
		refuse(w, &Error{KindUsage, err.Error()})
		return
	}
	ctx, cancel := s.untilLeaving(r.Context())
	defer cancel()
	lines, last := s.lines(w), ""
	for ctx.Err() == nil {
		changed := s.backend.Changed()
		began := time.Now()
		list, err := s.backend.List(ctx, q.Usage)
		if err != nil {
			lines.end(err)
			return
		}
		if text := marshal(list); string(text) != last {
			last = string(text)
			if lines.write(text) != nil {
				return
			}
		}
		pause(ctx, nil, max(sparing, 10*time.Since(began))) // so that it costs a tenth of a processor at most
		pause(ctx, changed, q.Every)
	}
	lines.end(nil)
}

// pause waits for a change, or the time d if it is not 0.
func pause(ctx context.Context, changed <-chan struct{}, d time.Duration) {
	var over <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-ctx.Done():
	case <-changed:
	case <-over:
	}
}

func (s *Server) logs(w http.ResponseWriter, r *http.Request) {
	form := r.URL.Query()
	q := LogQuery{Names: form["name"], Last: -1}
	var problems []error
	if text := form.Get("last"); text != "" {
		var err error
		q.Last, err = strconv.Atoi(text)
		problems = append(problems, err)
	}
	if text := form.Get("follow"); text != "" {
		var err error
		q.Follow, err = strconv.ParseBool(text)
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		refuse(w, &Error{KindUsage, err.Error()})
		return
	}
	ctx, cancel := s.untilLeaving(r.Context())
	defer cancel()
	lines := s.lines(w)
	lines.end(s.backend.Logs(ctx, q, func(line Line) error {
		return lines.writeSoon(marshal(line))
	}))
}

func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	report, err := s.backend.Report(r.Context())
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = timeline.WriteJSON(w, report) // a client that has gone needs none
}

// untilLeaving is ctx that ends when the server closes, too.
func (s *Server) untilLeaving(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.leaving, cancel)
	return ctx, func() { stop(); cancel() }
}

// refuse answers with an error alone.
func refuse(w http.ResponseWriter, err error) {
	e, status := asError(err), http.StatusInternalServerError
	switch e.Kind {
	case KindUsage:
		status = http.StatusBadRequest
	case KindLeaving:
		status = http.StatusServiceUnavailable
	}
	reply(w, status, e)
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(marshal(v), '\n')) // a client that has gone needs none
}

// marshal is v as JSON, which what is sent here always can be.
func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
