//go:build unix

package output

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// The end waits for a reader that lags, for as long as it reads, and not for one that does not.
func TestEndAwaitsWhoGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &sink{done: make(chan struct{}), fd: -1}
		began := time.Now()
		go func() {
			for range 1000 {
				time.Sleep(4 * time.Second)
				k.moves.Add(1)
			}
			close(k.done)
		}()
		if !k.awaitEnd(t.Context(), 5*time.Second) || time.Since(began) != 4000*time.Second {
			t.Errorf("it waited %v", time.Since(began))
		}
		k.done, began = make(chan struct{}), time.Now()
		if k.awaitEnd(t.Context(), 5*time.Second) || time.Since(began) != 5*time.Second {
			t.Errorf("for nobody it waited %v", time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if k.awaitEnd(ctx, time.Hour) {
			t.Error("it waited in spite of its context")
		}
	})
}

// What is read only after the end has begun comes whole.
func TestReaderThatLags(t *testing.T) {
	out := newStdout(t)
	m := newMux(t, Options{Out: out.w})
	s := newSource(t, m, "web", SourceOptions{})
	lines := fill(t, m, s)
	closed := make(chan error, 1)
	go func() { closed <- m.Close(context.Background(), enough) }()
	m.awaitClosing(t)
	text := out.all(t)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if got := strings.Count(text(), "\n"); got != lines {
		t.Errorf("%d lines of %d came", got, lines)
	}
}

// What nobody reads is lost, and counted.
func TestReaderThatHangs(t *testing.T) {
	out := newStdout(t)
	m := newMux(t, Options{Out: out.w})
	s := newSource(t, m, "web", SourceOptions{})
	lines := fill(t, m, s)
	err := m.Close(context.Background(), 10*time.Millisecond)
	lost := 0
	if _, scanErr := fmt.Sscanf(fmt.Sprint(err), "%d lines of output were not read", &lost); scanErr != nil {
		t.Fatal(err)
	}
	text := out.all(t)
	<-m.common.done // since what it was writing could be
	got := strings.Count(text(), "\n")
	// Of the piece that it was just writing it cannot tell how much the pipe has taken.
	if least, most := lines-got, lines-got+piece/100+1; lost < least || lost > most {
		t.Errorf("%d lines of %d came, and %d are said to be lost", got, lines, lost)
	}
}

// fill writes lines of at least a hundred bytes until nothing more can be taken, and returns how many.
func fill(t *testing.T, m *Mux, s *Source) (lines int) {
	t.Helper()
	fd := int(s.File().Fd())
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	line := []byte(strings.Repeat("x", 99) + "\n")
	for stuck := false; !stuck; stuck = !m.common.do(func() {}, time.Millisecond) {
		for {
			n, err := syscall.Write(fd, line)
			if err != nil {
				break
			}
			if lines++; n != len(line) {
				t.Fatalf("a pipe took %d bytes of a line", n)
			}
		}
	}
	return lines
}

// awaitClosing waits until the end has begun.
func (m *Mux) awaitClosing(t *testing.T) {
	t.Helper()
	for until := time.Now().Add(enough); ; time.Sleep(time.Millisecond) {
		m.common.mu.Lock()
		ended := m.common.ended
		m.common.mu.Unlock()
		if ended {
			return
		}
		if time.Now().After(until) {
			t.Fatal("the end does not begin")
		}
	}
}
