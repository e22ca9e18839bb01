//go:build unix

package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

func TestOrders(t *testing.T) {
	got := make(chan string, 1)
	s, c := serve(t, &fake{order: func(_ context.Context, what string, o order, _ func(string)) error {
		got <- fmt.Sprint(what, o)
		return nil
	}})
	defer closes(t, s)
	ctx, names := t.Context(), []string{"web", "db-2"}
	for _, test := range []struct {
		want string
		give func() error
	}{
		{"start{[web db-2]  map[]}", func() error { return c.Start(ctx, names, nil) }},
		{"stop{[web db-2]  map[]}", func() error { return c.Stop(ctx, names, nil) }},
		{"restart{[web db-2]  map[]}", func() error { return c.Restart(ctx, names, nil) }},
		{"reload{[web db-2]  map[]}", func() error { return c.Reload(ctx, names, nil) }},
		{"reload{[]  map[]}", func() error { return c.Reload(ctx, nil, nil) }},
		{"scale{[]  map[web:4]}", func() error { return c.Scale(ctx, map[string]int{"web": 4}, nil) }},
		{"signal{[web db-2] HUP map[]}", func() error { return c.Signal(ctx, names, "HUP") }},
	} {
		if err := test.give(); err != nil {
			t.Errorf("%s: %v", test.want, err)
		}
		if got := await(t, test.want, got); got != test.want {
			t.Errorf("the order came as %s, want %s", got, test.want)
		}
	}
	for _, give := range []func() error{
		func() error { return c.Start(ctx, nil, nil) },
		func() error { return c.Stop(ctx, nil, nil) },
		func() error { return c.Restart(ctx, nil, nil) },
		func() error { return c.Signal(ctx, nil, "HUP") },
		func() error { return c.Scale(ctx, nil, nil) },
		func() error { return c.Scale(ctx, map[string]int{"web": -1}, nil) },
	} {
		isKind(t, give(), KindUsage)
	}
	if err := c.Stop(ctx, nil, nil); err == nil || err.Error() != "stop: no names; down stops everything" {
		t.Errorf("stop without names: %v", err)
	}
}

func TestProgressAndErrors(t *testing.T) {
	s, c := serve(t, &fake{order: func(_ context.Context, what string, o order, progress func(string)) error {
		switch o.Names[0] {
		case "web":
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() { progress("one of three") })
			}
			all.Wait()
			progress("the last, \"quoted\"\nin two lines")
			return &Error{KindStart, "web: not ready within 3s"}
		case "wbe":
			return Unknown("wbe", []string{"web", "db"}, "ps")
		case "late":
			progress("in time")
			go progress("too late")
			return nil
		}
		return errors.New("no kind")
	}})
	defer closes(t, s)
	var lines []string
	err := c.Start(t.Context(), []string{"web"}, func(line string) { lines = append(lines, line) })
	isKind(t, err, KindStart)
	if err == nil || err.Error() != "web: not ready within 3s" {
		t.Errorf("the error is %v", err)
	}
	if want := []string{"one of three", "one of three", "one of three", "the last, \"quoted\"\nin two lines"}; !slices.Equal(lines, want) {
		t.Errorf("progress was %q", lines)
	}
	err = c.Start(t.Context(), []string{"wbe"}, nil)
	isKind(t, err, KindUsage)
	if err == nil || err.Error() != `no process "wbe", did you mean "web"?` {
		t.Errorf("the error is %v", err)
	}
	if err := c.Start(t.Context(), []string{"late"}, nil); err != nil {
		t.Error(err)
	}
	isKind(t, c.Start(t.Context(), []string{"else"}, nil), KindFailed)
}

func TestExitCodes(t *testing.T) {
	for kind, want := range map[Kind]int{KindFailed: 1, KindLeaving: 1, KindUsage: 2, KindStart: 3, KindCut: 4, KindNobody: 5, "of a later version": 1} {
		if got := (&Error{Kind: kind}).ExitCode(); got != want {
			t.Errorf("%s: %d, want %d", kind, got, want)
		}
	}
}

// What a supervisor says to curl.
func TestOverHTTP(t *testing.T) {
	list := []Instance{{Name: "web-1", Process: "web", State: lastcall.StateReady, PID: 7, Memory: 1 << 20}}
	s, c := serve(t, &fake{
		list:  func(bool) []Instance { return list },
		order: func(context.Context, string, order, func(string)) error { return &Error{KindLeaving, "it is leaving"} },
	})
	defer closes(t, s)
	for _, test := range []struct {
		request, body string
		status        int
		want          string
	}{
		{"GET /ps", "", 200, `[{"name":"web-1","process":"web","state":"ready","pid":7,"memory":1048576}]`},
		{"POST /stop", `{"names": ["web"]}`, 503, `{"kind":"leaving","error":"it is leaving"}`},
		{"POST /stop", `{"name": "web"}`, 400, `{"kind":"usage","error":"not an order: json: unknown field \"name\""}`},
		{"POST /stop", `nonsense`, 400, `{"kind":"usage","error":"not an order: invalid character 'o' in literal null (expecting 'u')"}`},
		{"POST /stop", strings.Repeat(" ", largest+1), 400, `{"kind":"usage","error":"not an order: http: request body too large"}`},
		{"GET /logs?last=many", "", 400, `{"kind":"usage","error":"strconv.Atoi: parsing \"many\": invalid syntax"}`},
		{"GET /watch?every=often", "", 400, `{"kind":"usage","error":"time: invalid duration \"often\""}`},
		{"GET /stop", "", 405, `Method Not Allowed`},
		{"GET /nothing", "", 404, `404 page not found`},
	} {
		conn := dial(t, c.Socket)
		fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: lastcall\r\nContent-Length: %d\r\n\r\n%s", test.request, len(test.body), test.body)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(test.request, err)
		}
		text, _ := io.ReadAll(response.Body)
		if response.StatusCode != test.status || strings.TrimSuffix(string(text), "\n") != test.want {
			t.Errorf("%s: %d %s", test.request, response.StatusCode, text)
		}
	}
}

func TestList(t *testing.T) {
	now := time.Now().Round(0)
	var want []Instance
	for i := range 1000 {
		want = append(want, Instance{Name: fmt.Sprint("web-", i), Process: "web", State: lastcall.StateReady, PID: 100 + i, Started: now,
			Since: now, CPU: time.Second, Memory: 1 << 20, Family: 1, Status: "serving"})
	}
	s, c := serve(t, &fake{list: func(usage bool) []Instance {
		if !usage {
			t.Error("ps without usage")
		}
		return want
	}})
	defer closes(t, s)
	got, err := c.List(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got { // the zone is the same, but not the pointer to it
		got[i].Started, got[i].Since = got[i].Started.Local(), got[i].Since.Local()
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the list is %v…", got[:min(len(got), 2)])
	}
}

func TestReport(t *testing.T) {
	want := lastcall.Report{State: lastcall.StateReady, Workers: []lastcall.WorkerReport{{Name: "web", State: lastcall.StateReady}}}
	s, c := serve(t, &fake{rep: want})
	defer closes(t, s)
	if got, err := c.Report(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the report is %v, %v", got, err)
	}
}

// changes is the channel of a Backend's Changed, and what closes it.
type changes struct {
	mu sync.Mutex
	c  chan struct{}
}

func (c *changes) changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.c == nil {
		c.c = make(chan struct{})
	}
	return c.c
}

func (c *changes) touch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.c != nil {
		close(c.c)
		c.c = nil
	}
}

func TestWatch(t *testing.T) {
	var changes changes
	var pid, lists atomic.Int64
	b := &fake{changed: changes.changed, list: func(usage bool) []Instance {
		lists.Add(1)
		i := Instance{Name: "web", PID: int(pid.Load())}
		if usage {
			i.Memory = 5
		}
		return []Instance{i}
	}}
	s, c := serve(t, b)
	lines, ended := make(chan Instance), make(chan error, 1)
	go func() {
		ended <- c.Watch(t.Context(), WatchQuery{}, func(list []Instance) error { lines <- list[0]; return nil })
	}()
	if i := await(t, "first list", lines); i.PID != 0 || i.Memory != 0 {
		t.Errorf("the first list is %v", i)
	}
	for n := range int64(3) {
		pid.Store(n + 1)
		changes.touch()
		if i := await(t, "list after a change", lines); i.PID != int(n+1) {
			t.Errorf("after a change the list is %v", i)
		}
	}
	changes.touch() // and nothing in the list has changed
	if n := lists.Load(); n < 4 || n > 5 {
		t.Errorf("the backend was asked %d times for 4 lists", n)
	}
	closes(t, s)
	if err := await(t, "end of the watch", ended); err != nil {
		t.Errorf("at the end of the supervisor Watch says %v", err)
	}

	s, c = serve(t, b)
	var seen int
	enough := errors.New("enough")
	err := c.Watch(t.Context(), WatchQuery{Every: time.Millisecond, Usage: true}, func(list []Instance) error {
		if list[0].Memory != 5 {
			t.Errorf("without usage: %v", list[0])
		}
		pid.Add(1) // no event tells
		if seen++; seen == 3 {
			return enough
		}
		return nil
	})
	if err != enough {
		t.Errorf("Watch says %v", err)
	}
	closes(t, s)
}

func TestLogs(t *testing.T) {
	queries := make(chan LogQuery, 1)
	now := time.Now().Round(0)
	s, c := serve(t, &fake{logs: func(_ context.Context, q LogQuery, fn func(Line) error) error {
		queries <- q
		for n := range 10_000 {
			if err := fn(Line{now, "web-1", "web", fmt.Sprintf(`%d {"done":true}`, n)}); err != nil {
				return err
			}
		}
		if len(q.Names) > 0 {
			return Unknown("x", nil, "ps")
		}
		return nil
	}})
	defer closes(t, s)
	var n int
	err := c.Logs(t.Context(), LogQuery{Last: 7}, func(line Line) error {
		if want := (Line{now, "web-1", "web", fmt.Sprintf(`%d {"done":true}`, n)}); !line.Time.Equal(want.Time) || line.Text != want.Text || line.Name != want.Name || line.Process != want.Process {
			t.Errorf("line %d is %v", n, line)
		}
		n++
		return nil
	})
	if err != nil || n != 10_000 {
		t.Errorf("%d lines, %v", n, err)
	}
	if q := <-queries; !reflect.DeepEqual(q, LogQuery{Last: 7}) {
		t.Errorf("the query came as %v", q)
	}
	isKind(t, c.Logs(t.Context(), LogQuery{Names: []string{"a", "b"}, Last: -1, Follow: true}, func(Line) error { return nil }), KindUsage)
	if q := <-queries; !reflect.DeepEqual(q, LogQuery{Names: []string{"a", "b"}, Last: -1, Follow: true}) {
		t.Errorf("the query came as %v", q)
	}
}

// A line is sent soon, also if no other follows.
func TestLogsAreNotHeldBack(t *testing.T) {
	s, c := serve(t, &fake{logs: func(ctx context.Context, q LogQuery, fn func(Line) error) error {
		fn(Line{Text: "first"})
		<-ctx.Done()
		fn(Line{Text: "last"})
		return nil
	}})
	lines, ended := make(chan string, 9), make(chan error, 1)
	go func() {
		ended <- c.Logs(t.Context(), LogQuery{Follow: true}, func(line Line) error { lines <- line.Text; return nil })
	}()
	if line := await(t, "first line", lines); line != "first" {
		t.Errorf("the first line is %q", line)
	}
	closes(t, s)
	if err := await(t, "end", ended); err != nil {
		t.Errorf("at the end of the supervisor Logs says %v", err)
	}
	if line := await(t, "last line", lines); line != "last" {
		t.Errorf("the last line is %q", line)
	}
}

// One who follows and does not read holds up nobody but itself, and not the end either.
func TestOneWhoDoesNotRead(t *testing.T) {
	var written atomic.Int64
	began := make(chan struct{})
	s, c := serve(t, &fake{
		list: func(bool) []Instance { return nil },
		logs: func(ctx context.Context, q LogQuery, fn func(Line) error) error {
			close(began)
			for {
				if err := fn(Line{Text: strings.Repeat("x", 1000)}); err != nil {
					return err
				}
				written.Add(1)
			}
		},
		order: func(_ context.Context, _ string, _ order, progress func(string)) error {
			for range 100_000 {
				progress(strings.Repeat("x", 100))
			}
			return nil
		},
	})
	conn := dial(t, c.Socket)
	fmt.Fprint(conn, "GET /logs?follow=true HTTP/1.1\r\nHost: lastcall\r\n\r\n")
	other := dial(t, c.Socket)
	fmt.Fprint(other, "POST /reload HTTP/1.1\r\nHost: lastcall\r\n\r\n")
	await(t, "request", began)
	for last := int64(-1); last != written.Load(); time.Sleep(20 * time.Millisecond) { // until it is stuck
		last = written.Load()
	}
	silent := dial(t, c.Socket)
	half := dial(t, c.Socket)
	fmt.Fprint(half, "POST /stop HTTP/1.1\r\nHost: lastcall\r\nContent-Length: 100\r\n\r\n{")
	if _, err := c.List(t.Context(), true); err != nil {
		t.Errorf("somebody else hears %v", err)
	}
	start := time.Now()
	closes(t, s)
	if d := time.Since(start); d > slowest/2 {
		t.Errorf("the end took %v", d)
	}
	for _, conn := range []net.Conn{silent, half} {
		conn.SetReadDeadline(time.Now().Add(generous))
		if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a connection is still open")
		}
	}
}

// When the client goes away, the context ends, and the order goes on if the backend likes.
func TestClientGoesAway(t *testing.T) {
	began, gone, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s, c := serve(t, &fake{order: func(ctx context.Context, _ string, _ order, progress func(string)) error {
		defer close(over)
		progress("begun")
		close(began)
		<-ctx.Done()
		close(gone)
		progress("goes on")
		return nil
	}})
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Stop(ctx, []string{"web"}, nil) }()
	await(t, "order", began)
	why := errors.New("Ctrl-C")
	cancel(why)
	await(t, "end of the context", gone)
	await(t, "end of the order", over)
	if err := await(t, "end of the call", ended); err != why {
		t.Errorf("the call says %v", err)
	}
	closes(t, s)
}

// Orders under way when the supervisor ends are answered, and down when another may follow.
func TestCloseAnswers(t *testing.T) {
	down, began := make(chan struct{}), make(chan struct{}, 3)
	s, c := serve(t, &fake{order: func(_ context.Context, what string, _ order, _ func(string)) error {
		began <- struct{}{}
		<-down
		if what == "down" {
			return &Error{KindCut, "web: interrupted"}
		}
		return nil
	}})
	var all sync.WaitGroup
	all.Go(func() {
		if err := c.Stop(t.Context(), []string{"web"}, nil); err != nil {
			t.Errorf("stop says %v", err)
		}
	})
	for range 2 {
		all.Go(func() {
			isKind(t, c.Down(t.Context(), nil), KindCut)
			l, err := Listen(c.Socket, "")
			if live := (*LiveError)(nil); errors.As(err, &live) && live.File == "" {
				return // the other one was faster
			} else if err != nil {
				t.Errorf("after down, Listen says %v", err)
				return
			}
			l.Close()
		})
	}
	for range 3 {
		await(t, "order", began)
	}
	closed := make(chan struct{})
	go func() { closes(t, s); close(closed) }()
	await(t, "end of what leaves", s.leaving.Done())
	close(down)
	await(t, "Close", closed)
	all.Wait()
	isKind(t, c.Stop(t.Context(), []string{"web"}, nil), KindNobody)
}

// What does not return holds the end up no longer than the context of Close.
func TestCloseBreaksOff(t *testing.T) {
	began, hang := make(chan struct{}), make(chan struct{})
	s, c := serve(t, &fake{order: func(ctx context.Context, _ string, _ order, _ func(string)) error {
		close(began)
		<-hang
		return nil
	}})
	ended := make(chan error, 1)
	go func() { ended <- c.Stop(t.Context(), []string{"web"}, nil) }()
	await(t, "order", began)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close says %v", err)
	}
	err := await(t, "end of the call", ended)
	isKind(t, err, KindNobody)
	if err == nil || err.Error() != "the lastcall up for /srv/shop/lastcall.yaml ended before it answered" {
		t.Errorf("the call says %v", err)
	}
	close(hang)
	err = c.Stop(t.Context(), []string{"web"}, nil)
	if isKind(t, err, KindNobody); err.Error() != "no lastcall up runs for /srv/shop/lastcall.yaml: nobody answers at "+c.Socket+"; lastcall up starts it" {
		t.Errorf("the next call says %v", err)
	}
}

func TestUnknown(t *testing.T) {
	known := []string{"web", "web-1", "web-2", "database"}
	for name, want := range map[string]string{
		"wbe": `no process "wbe", did you mean "web"?`, "Web": `no process "Web", did you mean "web"?`,
		"databse": `no process "databse", did you mean "database"?`, "web-3": `no process "web-3", did you mean "web-1"?`,
		"queue": `no process "queue"; lastcall ps shows them`, "": `no process ""; lastcall ps shows them`,
	} {
		if got := Unknown(name, known, "ps").Error(); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
