package serve

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// pair is a connection that a run tracks, with the client's side of it.
func pair(t *testing.T) (*conn, net.Conn, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); nc.Close() })
	r := &run{user: new(http.Server), conns: map[*conn]struct{}{}, accepting: true, changed: make(chan struct{}, 1), epoch: time.Now()}
	wrapped := r.track(nc)
	return connOf(wrapped), wrapped, client
}

// What arrived before the last look is read, though the deadline has passed by then.
func TestLastLookSeesWhatHasArrived(t *testing.T) {
	c, nc, client := pair(t)
	io.WriteString(client, "!GET / HTTP/1.1\r\n") // one segment: when its first byte is there, all is
	if _, err := io.ReadFull(c.inner, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	c.ask()
	p := make([]byte, 100)
	if n, err := nc.Read(p); err != nil || string(p[:n]) != "GET / HTTP/1.1\r\n" {
		t.Fatalf("read %q, %v", p[:n], err)
	}
	go io.WriteString(client, "Host: test\r\n")
	if n, err := nc.Read(p); err != nil || string(p[:n]) != "Host: test\r\n" {
		t.Errorf("then read %q, %v: the deadline has not been taken back", p[:n], err)
	}
}

// A reader that waits is woken, and the client is told that the connection ends.
func TestLastLookEndsWhatIsQuiet(t *testing.T) {
	c, nc, client := pair(t)
	done := make(chan error)
	go func() {
		_, err := nc.Read(make([]byte, 1))
		done <- err
	}()
	c.ask()
	if err := <-done; err != io.EOF {
		t.Errorf("the reader got %v, want EOF", err)
	}
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the client got %v, want EOF", err)
	}
}

// net/http sets deadlines of its own between the end of a request and the wait for the next, over ours.
func TestLastLookSurvivesAnotherDeadline(t *testing.T) {
	c, nc, client := pair(t)
	c.ask()
	nc.SetReadDeadline(time.Time{})
	late := time.AfterFunc(5*time.Second, func() { io.WriteString(client, "too late") })
	defer late.Stop()
	if _, err := nc.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read: %v, want EOF", err)
	}
}

// A connection that became active meanwhile is left alone, with the deadline that net/http set.
func TestActiveConnectionIsNotAsked(t *testing.T) {
	c, nc, client := pair(t)
	c.activate()
	c.ask()
	go io.WriteString(client, "body")
	p := make([]byte, 100)
	if n, err := nc.Read(p); err != nil || string(p[:n]) != "body" {
		t.Errorf("read %q, %v", p[:n], err)
	}
	c.enter(phaseIdle)
	c.ask()
	c.activate()
	nc.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := nc.Read(p); errors.Is(err, io.EOF) {
		t.Errorf("read: %v, want net/http's own deadline", err)
	}
}
