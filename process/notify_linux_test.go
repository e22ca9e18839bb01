package process

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall"
)

// ownSocket is a NOTIFY_SOCKET for a family whose main process is this one.
func ownSocket(t *testing.T) *notifySocket {
	t.Helper()
	s, err := serveNotify()
	noError(t, err)
	s.family = here.newFamily(KillFamily)
	s.family.join(os.Getpid())
	t.Cleanup(func() {
		s.close()
		s.family.leave()
	})
	return s
}

// A sender that nobody hears waits: this process keeps a bounded number of messages, and loses none.
func TestNotifyIsBounded(t *testing.T) {
	s := ownSocket(t)
	s.begin()
	conn, err := net.Dial("unixgram", s.name)
	noError(t, err)
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	noError(t, err)
	send := func(text string) (sent bool) {
		noError(t, raw.Control(func(fd uintptr) {
			_, err = unix.SendmsgN(int(fd), []byte(text), nil, nil, unix.MSG_DONTWAIT)
		}))
		if err != nil && !errors.Is(err, unix.EAGAIN) {
			t.Fatal(err)
		}
		return err == nil
	}
	const important = "RELOADING=1\nMAINPID=%d\nEXTEND_TIMEOUT_USEC=%[1]d\nSTATUS=%[1]d"
	most := mostNotes + 1000 // what the kernel keeps depends on net.unix.max_dgram_qlen, which is 10 or 512
	sent := 0
	full := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.list) >= mostNotes
	}
	for sent <= most {
		wasFull := full()
		if send(fmt.Sprintf(important, sent+2)) {
			sent++
			continue
		}
		if wasFull {
			break
		}
		eventually(t, "the list is full, or there is room in the socket", func() bool {
			n := 1
			_ = s.fd.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
			return n == 0 || full()
		})
	}
	if sent > most {
		t.Fatalf("%d messages were taken", sent)
	}
	t.Logf("%d messages were taken before the sender had to wait", sent)

	reloads, mains, statuses := 0, []int{}, []string{}
	eventually(t, "all messages have come", func() bool {
		for _, n := range s.take() {
			if n.extend != time.Duration(reloads+2)*time.Microsecond {
				t.Fatalf("message %d is %+v", reloads, n)
			}
			if reloads++; !n.reloading {
				t.Fatalf("message %d is %+v", reloads, n)
			}
			if n.mainPID != 0 {
				mains = append(mains, n.mainPID)
			}
			if n.status != nil {
				statuses = append(statuses, *n.status)
			}
		}
		return reloads == sent
	})
	if last := sent + 1; mains[len(mains)-1] != last || statuses[len(statuses)-1] != fmt.Sprint(last) {
		t.Errorf("the last are %v and %v, want %d", mains, statuses, last)
	}
	if len(mains) > sent/4 || len(statuses) != len(mains) {
		t.Errorf("of %d messages %d main processes and %d statuses are left", sent, len(mains), len(statuses))
	}
}

// OnNote sees each message once and in order, also those that are heard at the end; while it does not return, no more are read.
func TestOnNoteIsBounded(t *testing.T) {
	s := ownSocket(t)
	in, out := make(chan string), make(chan struct{})
	s.raw = func(text string) {
		in <- text
		<-out
	}
	s.begin()
	ended := make(chan struct{})
	go func() { // which waits when the socket is full
		defer close(ended)
		for i := range 3 * mostWaiting {
			tell(s.name, fmt.Sprintf("STATUS=%d", i))
		}
	}()
	go func() {
		for {
			select {
			case <-s.some:
				s.take()
			case <-s.over:
				return
			}
		}
	}()
	for i := range 3 * mostWaiting {
		select {
		case got := <-in:
			if want := fmt.Sprintf("STATUS=%d", i); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		case <-time.After(limit):
			t.Fatalf("no message %d in %v", i, limit)
		}
		if i%500 == 0 {
			for range 3 * mostWaiting { // as at deadlines, while it is stuck
				s.drain()
			}
			s.mu.Lock()
			if n := len(s.texts); n > mostWaiting {
				t.Errorf("%d texts are kept", n)
			}
			s.mu.Unlock()
		}
		out <- struct{}{}
	}
	<-ended
}

// Only the family is heard: not this process, which has the same user and started it, and not another child of it.
func TestNotifyOfStrangers(t *testing.T) {
	v := listen(t)
	p := script("on USR1 { notify READY=1 }; on USR2 { notify STATUS=its own }; say up; wait")
	p.Stdout, p.Ready = v.w, Ready{Notify: true}
	r := run(t, p, limit)
	v.await(t, "up")
	eventually(t, "the start has returned", func() bool { return p.PID() != 0 })
	socket := p.current.Load().notify
	ignored := func(who string, pid int) {
		t.Helper()
		eventually(t, "the message of "+who+" is ignored", func() bool {
			err := socket.refusal()
			return err != nil && strings.Contains(err.Error(), fmt.Sprintf("process %d,", pid))
		})
	}
	const text = "READY=1|STATUS=a stranger's"
	tell(socket.name, text)
	ignored("this process", os.Getpid())

	other := script("tell " + socket.name + " " + text + "; say told; wait")
	other.Stdout = v.w
	r2 := run(t, other, limit)
	v.await(t, "told")
	ignored("another family", other.PID())

	orphan := script("spawn sid { tell " + socket.name + " " + text + "; say orphan PID; wait }; wait") // an orphan below this process
	orphan.Stdout = v.w
	r3 := run(t, orphan, limit)
	pid := pidOf(t, v.value(t, "orphan "))
	noError(t, orphan.Signal(syscall.SIGKILL))
	ignored("another family's orphan", pid)

	if err := r.group.Ready(); err == nil || p.Notes().Status != "" {
		t.Errorf("it is ready: %v, %+v", err, p.Notes())
	}
	noError(t, p.Signal(syscall.SIGUSR2))
	eventually(t, "it is heard itself", func() bool { return p.Notes().Status == "its own" })
	noError(t, p.Signal(userSignal))
	r.until(lastcall.StateReady)
	noError(t, r.stop())
	noError(t, r2.stop())
	errorAs[*ExitError](t, r3.end())
	v.silence(t)
}

// Of the family everybody is heard: a main process that gives up root by itself, and an orphan that did so and left everything.
func TestNotifyOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root becomes another user")
	}
	for name, text := range map[string]string{
		"main process": "become 65534; notify READY=1; wait",
		"child":        "spawn sid { become 65534; notify READY=1; wait }; wait",
		"orphan":       "spawn sid { spawn sid { on TERM { exit 0 }; become 65534; on USR1 { notify READY=1 }; say orphan PID; wait }; on USR2 { exit 0 }; say parent PID; wait }; wait",
		"zombie":       "spawn sid { become 65534; notify READY=1; exit 0 }; wait",
	} {
		t.Run(name, func(t *testing.T) {
			v := listen(t)
			p := script(text)
			p.Stdout, p.Ready = v.w, Ready{Notify: true}
			r := run(t, p, limit)
			if name == "orphan" {
				orphan, parent := pidOf(t, v.value(t, "orphan ")), pidOf(t, v.value(t, "parent "))
				noError(t, syscall.Kill(parent, syscall.SIGKILL))
				eventually(t, "it is an orphan", func() bool { k, _ := statOf(orphan); return k.parent == self })
				noError(t, syscall.Kill(orphan, syscall.SIGUSR1))
			}
			r.until(lastcall.StateReady)
			noError(t, r.stop())
			v.silence(t)
		})
	}
}

// credentialsOf are those of a message.
func credentialsOf(pid, uid int) []byte {
	return unix.UnixCredentials(&unix.Ucred{Pid: int32(pid), Uid: uint32(uid)})
}

// A sender that is gone is believed if its user is this process's, who could do worse.
func TestNotifyOfTheDead(t *testing.T) {
	s := ownSocket(t)
	cmd := exec.Command("true")
	noError(t, cmd.Run())
	dead := cmd.Process.Pid
	noError(t, s.admit(credentialsOf(dead, os.Geteuid())))
	if err := s.admit(credentialsOf(dead, os.Geteuid()+1)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d, user %d,", dead, os.Geteuid()+1)) {
		t.Errorf("got %v", err)
	}
	here.mu.Lock()
	s.family.note(descendant{pid: dead, start: 1})
	here.mu.Unlock()
	noError(t, s.admit(credentialsOf(dead, os.Geteuid()+1)))
	if err := s.admit(credentialsOf(0, os.Geteuid())); err == nil {
		t.Error("a process of another pid namespace is believed")
	}
	if err := s.admit(nil); err == nil {
		t.Error("a message without credentials is believed")
	}
}

func TestCoalesce(t *testing.T) {
	text := func(s string) *string { return &s }
	list := coalesce([]note{
		{status: text("a"), ready: true}, {mainPID: 7}, {reloading: true, status: text("b")}, {mainPID: 8, extend: 1}, {status: text("c")}, {beat: true},
	})
	var got []string
	for _, n := range list {
		status := ""
		if n.status != nil {
			status = *n.status
		}
		got = append(got, fmt.Sprintf("%t %t %q %d %d %t", n.ready, n.reloading, status, n.mainPID, n.extend, n.beat))
	}
	want := []string{
		`true false "" 0 0 false`, `false false "" 0 0 false`, `false true "" 0 0 false`, `false false "" 8 1 false`, `false false "c" 0 0 false`,
		`false false "" 0 0 true`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
