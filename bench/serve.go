package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// serveResult is what the HTTP adapter was measured to cost.
type serveResult struct {
	Late   []lateResult   `json:"late"`
	Rounds []*roundResult `json:"rounds"`
}

// lateResult is how long after the client had its last response each stop of a server returned.
type lateResult struct {
	Name string  `json:"name"`
	Late []int64 `json:"late_ns"`
}

// roundResult is what one server did in its rounds.
type roundResult struct {
	Name     string    `json:"name"`
	Requests []float64 `json:"requests_per_second"`
	CPU      []float64 `json:"cpu_ns_per_request"`
}

// A serveFunc serves until ctx ends and then stops gracefully.
type serveFunc func(context.Context, *http.Server, net.Listener) error

// servers are both ways to serve, the hand-written one first.
var servers = []struct {
	variant, name string
	serve         serveFunc
}{
	{"hand", "net/http, Shutdown", handServe},
	{"lastcall", "lastcall, serve.HTTP", lastcallServe},
}

func (b *bench) measureServe(ctx context.Context) error {
	b.result.Serve = new(serveResult)
	if err := b.measureLate(ctx); err != nil {
		return err
	}
	return b.measureRequests(ctx)
}

// lateStops is how often each server is stopped with a request in flight.
const lateStops = 9

// measureLate has one process stop all servers at once: they do nothing but wait for their requests.
func (b *bench) measureLate(ctx context.Context) error {
	b.progress("stops of servers with a request in flight")
	last := 1300 * time.Millisecond
	if b.Round < time.Second {
		last = 700 * time.Millisecond
	}
	cmd := exec.CommandContext(ctx, b.self, childCommand, "late", "", last.String())
	cmd.Stderr = b.log
	text, err := cmd.Output()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &b.result.Serve.Late); err != nil {
		return err
	}
	t := b.table("HTTP: last response → stop returned",
		fmt.Sprintf("A request finishes 0.3 s to %.1f s after the stop began; from when its client has the response. %d stops each.", last.Seconds(), lateStops),
		"server", "median", "ratio", "most")
	base := median(b.result.Serve.Late[0].Late)
	for _, r := range b.result.Serve.Late {
		t.row(r.Name, duration(median(r.Late)), ratio(median(r.Late), base), duration(percentile(r.Late, 1)))
	}
	own := median(b.result.Serve.Late[1].Late)
	b.target(Target{What: "HTTP: last response → stop returned, ratio", Limit: 1, Measured: own / base})
	return nil
}

// lateChild stops lateStops servers of each kind, all at once, and prints how late each was.
func lateChild(arg string) error {
	last, err := time.ParseDuration(arg)
	if err != nil {
		return err
	}
	const first = 300 * time.Millisecond
	results, failed := make([]lateResult, len(servers)), make(chan error, len(servers)*lateStops)
	var all sync.WaitGroup
	for i, s := range servers {
		results[i] = lateResult{Name: s.name, Late: make([]int64, lateStops)}
		for j := range lateStops {
			after := first + (last-first)*time.Duration(j)/(lateStops-1)
			all.Go(func() {
				late, err := lateOnce(s.serve, after)
				results[i].Late[j] = late.Nanoseconds()
				failed <- err
			})
		}
	}
	all.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(results)
}

// lateOnce stops a server whose one request ends some time after the stop began.
func lateOnce(serve serveFunc, after time.Duration) (time.Duration, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	entered, finish := make(chan struct{}), make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-finish
		io.WriteString(w, "done")
	})}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	returned := make(chan error, 1)
	go func() { returned <- serve(ctx, server, listener) }()

	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		return 0, err
	}
	<-entered
	cancel()
	time.AfterFunc(after, func() { close(finish) })
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
	}
	if err != nil {
		return 0, err
	}
	answered := time.Now()
	err = <-returned
	return time.Since(answered), err
}

const request = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n"

// serveChild serves a small answer until SIGTERM. It prints "ready PID" and its address.
func serveChild(variant string) error {
	for _, s := range servers {
		if s.variant != variant {
			continue
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer cancel()
		fmt.Printf("ready %d\n%s\n", os.Getpid(), listener.Addr())
		answer := strings.Repeat("x", 64)
		return s.serve(ctx, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, answer)
		})}, listener)
	}
	return fmt.Errorf("unknown server %q", variant)
}

// clients is how many connections ask at the same time.
const clients = 8

// measureRequests loads both servers in turns, in short rounds.
func (b *bench) measureRequests(ctx context.Context) error {
	b.progress("%d rounds of requests to each server", b.Rounds)
	daemons, addresses := make([]*daemon, len(servers)), make([]string, len(servers))
	for i, s := range servers {
		d, err := startDaemon(ctx, []string{b.self, childCommand, "serve", s.variant})
		if err != nil {
			return err
		}
		defer d.stop()
		if _, err := fmt.Fscanln(d.stdout, &addresses[i]); err != nil {
			return err
		}
		daemons[i] = d
		b.result.Serve.Rounds = append(b.result.Serve.Rounds, &roundResult{Name: s.name})
	}
	for round := range b.Rounds + 1 {
		for turn := range servers {
			i := (turn + round) % len(servers) // nobody is always the first
			before, err := threadUsage(daemons[i].pid)
			counted := err == nil // else the system does not say
			requests, elapsed, err := load(ctx, addresses[i], b.Round)
			if err != nil {
				return err
			}
			if round == 0 { // the first warms up
				continue
			}
			r := b.result.Serve.Rounds[i]
			r.Requests = append(r.Requests, float64(requests)/elapsed.Seconds())
			if after, err := threadUsage(daemons[i].pid); err == nil && counted {
				r.CPU = append(r.CPU, float64(after.since(before).CPU)/float64(requests))
			}
		}
	}

	t := b.table("HTTP: requests",
		fmt.Sprintf("A 64-byte answer to %d raw keep-alive connections on loopback; medians of %d rounds of %v each, in turns, and the spread: the middle half of the rounds.", clients, b.Rounds, b.Round),
		"server", "requests a second", "spread", "ratio", "CPU a request", "ratio")
	base := b.result.Serve.Rounds[0]
	for _, r := range b.result.Serve.Rounds {
		cpu, cpuRatio := "-", "-"
		if len(r.CPU) > 0 {
			cpu, cpuRatio = duration(median(r.CPU)), ratio(median(r.CPU), median(base.CPU))
		}
		t.row(r.Name, fmt.Sprintf("%.0f", median(r.Requests)), spread(r.Requests), ratio(median(r.Requests), median(base.Requests)), cpu, cpuRatio)
	}
	own := b.result.Serve.Rounds[1]
	b.target(Target{What: "HTTP: requests a second, ratio", Limit: 0.98, AtLeast: true, Measured: median(own.Requests) / median(base.Requests)})
	return nil
}

// load sends requests over all connections for the time, and counts the responses.
func load(ctx context.Context, address string, d time.Duration) (requests int64, elapsed time.Duration, err error) {
	var count atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, clients)
	start := time.Now()
	end := start.Add(d)
	for range clients {
		all.Go(func() {
			n, err := ask(ctx, address, end)
			count.Add(n)
			failed <- err
		})
	}
	all.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	return count.Load(), time.Since(start), err
}

// ask is one client. It parses only the first response: all that follow are as long, and what it saves goes to the server.
func ask(ctx context.Context, address string, end time.Time) (requests int64, err error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	response := make([]byte, 4096)
	length := 0
	for time.Now().Before(end) && ctx.Err() == nil {
		if _, err := io.WriteString(conn, request); err != nil {
			return requests, err
		}
		if length == 0 {
			if length, err = conn.Read(response); err != nil {
				return requests, err
			}
			if !strings.HasPrefix(string(response[:length]), "HTTP/1.1 200") {
				return requests, fmt.Errorf("unexpected response %q", response[:length])
			}
		} else if _, err := io.ReadFull(conn, response[:length]); err != nil {
			return requests, err
		}
		requests++
	}
	return requests, ctx.Err()
}
