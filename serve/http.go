package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall"
)

// readyWithin limits what can hang between Run and the first accept: resolving the address.
const readyWithin = 30 * time.Second

// A Server is an HTTP server as a worker, see [HTTP].
type Server struct {
	srv     *http.Server
	ln      net.Listener
	opt     options
	current atomic.Pointer[run]
}

// HTTP returns a worker that serves srv on ln. With ln nil it listens on srv.Addr at its start, so that an address in
// use is the worker's error before it is ready. The package comment describes the stop.
//
// Each start serves a copy of srv, so the worker can be restarted; with a given ln, unless it is from [Inherited], only
// until the first stop has closed it. The hooks of srv are called as usual, the functions of srv.RegisterOnShutdown at
// the soft stop. srv.Shutdown and srv.Close do not stop the worker; its group does. The context of srv.BaseContext is
// joined with the grace context. Hooks and hijacking handlers see connections in a wrapper, whose NetConn method
// returns the accepted connection.
//
// ln must not speak TLS itself: pass the listener beneath it, and put the certificates into srv.TLSConfig.
func HTTP(srv *http.Server, ln net.Listener, opts ...Option) *Server {
	s := &Server{srv: srv, ln: ln, opt: options{linger: DefaultLinger}}
	if _, ok := ln.(*inherited); ok {
		s.opt.held = true
	}
	for _, o := range opts {
		o(&s.opt)
	}
	return s
}

// ReadyWithin makes the group wait until the server accepts.
func (s *Server) ReadyWithin() time.Duration { return readyWithin }

// Addr returns the address on which the server listens, nil if it does not.
func (s *Server) Addr() net.Addr {
	if r := s.current.Load(); r != nil {
		return r.ln.Addr()
	}
	return nil
}

// Hijacked returns how many connections handlers have taken over and not closed.
func (s *Server) Hijacked() int {
	if r := s.current.Load(); r != nil {
		return int(r.hijacked.Load())
	}
	return 0
}

// Run serves until the soft stop and returns when the last connection and the last handler have ended; see
// [lastcall.Worker]. The error is that of listening or accepting, or names the requests that the hard stop cut.
func (s *Server) Run(ctx context.Context) error {
	if s.srv == nil {
		return errors.New("serve.HTTP: nil server")
	}
	ln, err := s.listen(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	r, err := newRun(ctx, s, ln)
	if err != nil {
		ln.Close()
		return err
	}
	s.current.Store(r)
	defer s.current.Store(nil)

	drained := make(chan error, 1)
	unhook := context.AfterFunc(ctx, func() { drained <- r.stop(0) })
	if s.speaksTLS() {
		err = r.http1.ServeTLS(r.ln, s.opt.certFile, s.opt.keyFile)
	} else {
		err = r.http1.Serve(r.ln)
	}
	r.acceptedAll()
	if errors.Is(err, errStopped) {
		return <-drained
	}
	// The server cannot serve, or can no longer accept. Requests in flight still get their time.
	var cut error
	if unhook() {
		cut = r.stop(failedGrace)
	} else {
		cut = <-drained
	}
	if cut != nil {
		return fmt.Errorf("%w; %w", err, cut)
	}
	return err
}

// listen returns the listener for one start.
func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	switch ln := s.ln.(type) {
	case nil:
		port := ":http"
		if s.speaksTLS() {
			port = ":https"
		}
		return new(net.ListenConfig).Listen(ctx, "tcp", cmp.Or(s.srv.Addr, port))
	case *inherited:
		return ln.again()
	default:
		return ln, nil
	}
}

func (s *Server) speaksTLS() bool {
	if s.opt.certFile != "" || s.opt.keyFile != "" {
		return true
	}
	config := s.srv.TLSConfig
	return config != nil && (len(config.Certificates) > 0 || config.GetCertificate != nil || config.GetConfigForClient != nil)
}

var _ lastcall.Worker = (*Server)(nil)
