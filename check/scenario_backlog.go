//go:build unix

package check

import "fmt"

var backlogScenario = Scenario{
	Name:  "backlog",
	Means: "a deploy under load loses no connection that waits to be accepted",
	Does:  "looks at the stops of load, or makes them",
	Fails: "warn: connections that the system had made for it were reset, since it closed its listening socket without accepting them",
	Needs: "a URL, and bursts: Linux",
	play:  playBacklog,
}

func playBacklog(r *runner) {
	if r.url == nil {
		r.skip("nothing is known to speak HTTP: give a URL with --url")
		return
	}
	if !seesProcesses || r.port() == 0 {
		r.skip("which connections are accepted is shown for TCP on Linux only")
		return
	}
	if r.canStop() {
		return
	}
	s, ok := r.loadStops()
	switch {
	case !ok:
		return
	case s.early != "":
		r.skip("%s", s.early)
		return
	case s.queued != nil:
		s.queued.isWorst()
		r.fact("never accepted", float64(s.all.queued), "", "reset by the kernel when the listening socket was closed")
		r.warn(codeBacklog, fmt.Sprintf("%d connections were never accepted and reset when it closed its listening socket", s.all.queued),
			"A client sees a reset, and not a refusal that it would try elsewhere. Before the listening socket is closed, leave the balancer and go on accepting for some seconds (a lame duck, or a preStop sleep), or let a supervisor hold the socket (`lastcall up` with listen, systemd's socket units).")
		return
	case s.skip != "":
		r.skip("%s", s.skip)
		return
	}
	r.fact("requests in bursts", float64(s.bursts), "", "")
	r.pass("accepted every connection that was made before it closed its listening socket")
}
