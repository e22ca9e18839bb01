//go:build unix

package check

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

// portConns is how many connections to each port are open at the stop: the daemon closes them first, so that the system keeps
// its end for a minute (TIME_WAIT), and only who sets SO_REUSEADDR can listen there again.
const portConns = 3

var portScenario = Scenario{
	Name:  "port",
	Means: "it can be started again at once",
	Does:  "stops it with connections open, and starts it again",
	Fails: "a port, a pid file or a socket is in the way, or it waits for connections that are idle",
	play:  playPort,
}

// playPort stops the daemon with connections open, and starts it again at once.
func playPort(r *runner) {
	if r.canStop() {
		return
	}
	l, ok := r.begin()
	if !ok {
		return
	}
	conns := l.connect()
	n := len(conns)
	l.signal(r.Signal)
	l.awaitExit()
	o := l.done
	if o.Hung {
		r.fail(codeHangsConnected, fmt.Sprintf("still there %v after %s, with %d connections open", r.Grace, process.SignalName(r.Signal), n),
			"It waits for who is connected to go, and nobody tells them. Close the connections that are idle, or set a limit to what it waits for.")
	}
	for _, c := range conns {
		c.Close()
	}
	began := time.Now()
	second, ok := r.begin() // before anything that the first life left behind is killed: it may be in the way
	took := time.Since(began)
	l.bury()
	o = l.done
	if !ok {
		return
	}
	second.stop(r.Signal)
	if n > 0 {
		r.judgeBusy(o, fmt.Sprintf("%d connections open", n))
	}
	r.fact("connections open at the stop", float64(n), "", "")
	r.stopTimes([]time.Duration{o.Took})
	r.fact("ready again after", ms(took), "ms", "")
	if n == 0 && !seesProcesses && r.url == nil {
		r.pass("ready again %v after it had ended; whether it has ports is not shown here", text.Round(took))
		return
	}
	r.pass("ready again %v after it had ended with %d connections open", text.Round(took), n)
}

// connect opens connections to all ports that the daemon listens on, and asks for something where that is HTTP. It returns when the
// daemon has accepted them: who comes together with the signal may fare otherwise.
func (l *life) connect() (conns []interface{ Close() }) {
	asked := map[uint16]bool{}
	if l.r.url != nil {
		asked[l.r.port()] = true
		for range portConns {
			c := rawhttp.NewClient(l.r.url.with(rawhttp.KeepAliveGET))
			if c.Exchange(l.r.ctx).Class == rawhttp.Answered {
				conns = append(conns, c)
			}
		}
	}
	for _, s := range listening(descendants(l.k.pid)) {
		if s.Network != "tcp" || asked[s.Addr.Port()] {
			continue
		}
		asked[s.Addr.Port()] = true
		ip := s.reachable()
		for range portConns {
			if conn, err := net.DialTimeout("tcp", netip.AddrPortFrom(ip, s.Addr.Port()).String(), 5*time.Second); err == nil {
				conns = append(conns, closer{conn})
			}
		}
		for limit := time.Now().Add(readWithin); time.Now().Before(limit) && waiting(l.k.daemon, s.Addr.Port()) > 0 && !l.hasExited(); {
			time.Sleep(time.Millisecond)
		}
	}
	return conns
}

type closer struct{ net.Conn }

func (c closer) Close() { _ = c.Conn.Close() }

// whoListens names the process that listens at an address, if that can be seen.
func whoListens(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	for _, s := range listening(append([]proc{{PID: os.Getpid()}}, everybody()...)) {
		if s.Network == "tcp" && fmt.Sprint(s.Addr.Port()) == port {
			return fmt.Sprintf(" (pid %d: %s)", s.PID, text.Short(commandLine(s.PID), 60))
		}
	}
	return ""
}
