package demo

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// load is the outside world: clients that send until they are refused, each over its own connections, without a retry.
// It is not a worker of the group, so nothing tells it that the service stops. Half of the clients open a connection
// for each request, and half keep theirs.
type load struct {
	clients int
	pause   func() time.Duration // between a client's requests
	run     string               // tells the keys of this run from those of an earlier one
	addr    string               // of the service, once it is ready

	begin chan struct{} // closed when the service is ready
	end   chan struct{} // closed when it has ended
	done  sync.WaitGroup

	mu       sync.Mutex
	underway map[*exchange]bool
	notes    []*exchange // all requests
	refused  int         // connections that were not accepted
}

// An exchange is a request on an accepted connection, with its answer.
type exchange struct {
	method string
	key    string
	conn   net.Conn
	status int    // 0: no answer came
	order  uint64 // its number, if the answer acknowledged one
	err    error  // why no answer came
}

func newLoad(clients int, pause func() time.Duration, run string) *load {
	l := &load{
		clients: clients, pause: pause, run: run,
		begin: make(chan struct{}), end: make(chan struct{}), underway: make(map[*exchange]bool),
	}
	for n := range clients {
		l.done.Go(func() {
			select {
			case <-l.begin:
				l.client(n)
			case <-l.end:
			}
		})
	}
	return l
}

// open starts the clients.
func (l *load) open(addr string) {
	l.addr = addr
	close(l.begin)
}

// stop waits until every client has its answer or was refused. An answer that has not come a second after the service
// ended does not come any more.
func (l *load) stop() {
	close(l.end)
	l.mu.Lock()
	for e := range l.underway {
		_ = e.conn.SetReadDeadline(time.Now().Add(time.Second))
	}
	l.mu.Unlock()
	l.done.Wait()
}

// inFlight returns the requests that have no answer yet.
func (l *load) inFlight() []*exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]*exchange, 0, len(l.underway))
	for e := range l.underway {
		list = append(list, e)
	}
	return list
}

// client sends until it is refused.
func (l *load) client(n int) {
	var conn *connection
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	for i := 0; ; i++ {
		select {
		case <-time.After(l.pause()):
		case <-l.end: // one more request, to be refused
		}
		if conn != nil && conn.closedByServer() {
			conn.Close()
			conn = nil
		}
		if conn == nil {
			raw, err := net.Dial("tcp", l.addr)
			if err != nil {
				l.mu.Lock()
				l.refused++
				l.mu.Unlock()
				return
			}
			conn = &connection{raw, bufio.NewReader(raw)}
		}
		e := &exchange{method: http.MethodPost, key: fmt.Sprintf("%s-%d-%d", l.run, n, i), conn: conn}
		if (n+i)%3 == 0 {
			e.method = http.MethodGet
		}
		if keep := l.exchange(e, conn, n%2 == 1); !keep {
			conn.Close()
			conn = nil
		}
	}
}

// exchange sends one request and reads its answer, and reports whether the connection can be used again.
func (l *load) exchange(e *exchange, conn *connection, keep bool) bool {
	l.mu.Lock()
	l.underway[e] = true
	l.notes = append(l.notes, e)
	select {
	case <-l.end:
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	default:
	}
	l.mu.Unlock()

	status, order, keep, err := conn.roundTrip(e.method, "/orders?key="+e.key, keep)

	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.underway, e)
	e.status, e.order, e.err = status, order, err
	return keep && err == nil
}

// A connection is a raw connection, so that no HTTP client repeats a request.
type connection struct {
	net.Conn
	reader *bufio.Reader
}

// closedByServer reports whether an idle connection was ended by the other side, as a server may at any time.
func (c *connection) closedByServer() bool {
	if c.SetReadDeadline(time.Now().Add(time.Millisecond)) != nil {
		return true
	}
	_, err := c.reader.Peek(1)
	return !errors.Is(err, os.ErrDeadlineExceeded) || c.SetReadDeadline(time.Time{}) != nil
}

func (c *connection) roundTrip(method, target string, keep bool) (status int, order uint64, again bool, err error) {
	header := ""
	if !keep {
		header = "Connection: close\r\n"
	}
	if _, err := fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: demo\r\nContent-Length: 0\r\n%s\r\n", method, target, header); err != nil {
		return 0, 0, false, err
	}
	response, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		return 0, 0, false, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, 0, false, err
	}
	if response.StatusCode == http.StatusCreated {
		var answer struct{ Order uint64 }
		if err := json.Unmarshal(body, &answer); err != nil {
			return 0, 0, false, err
		}
		order = answer.Order
	}
	return response.StatusCode, order, keep && !response.Close, nil
}
