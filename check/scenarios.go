package check

// scenarios are in the order in which they are played and reported.
var scenarios = []Scenario{
	{
		Name:  "idle",
		Means: "a daemon with nothing to do costs nothing",
		Does:  "watches every thread while there are no requests",
		Fails: "it ends by itself; warn: a thread wakes up again and again",
		Needs: "the counts of context switches that Linux shows",
	},
	{
		Name:  "term",
		Means: "service managers, containers and deploys stop it this way",
		Does:  "sends SIGTERM when it is idle",
		Fails: "it still runs after the grace period, has no handler, or ends with a bad status",
	},
	{
		Name:  "int",
		Means: "Ctrl-C stops it as well",
		Does:  "sends SIGINT when it is idle",
		Fails: "as for term",
	},
	{
		Name:  "startup",
		Means: "a deploy that is cancelled at once leaves nothing hanging",
		Does:  "sends SIGTERM at many instants between exec and ready",
		Fails: "it hangs, crashes, ends by itself, or leaves something behind; warn: it died of the signal with sockets or files open, or ends with a bad status",
	},
	{
		Name:  "inflight",
		Means: "requests under way at the stop are served to the end",
		Does:  "sends SIGTERM while slow requests are under way",
		Fails: "a request is reset, cut short, or answered with 5xx",
		Needs: "a URL, and one that is slow or takes uploads",
	},
	{
		Name:  "load",
		Means: "a deploy under load loses no request",
		Does:  "sends SIGTERM in the middle of steady load, and of a burst that arrives together with the signal",
		Fails: "a request that was accepted gets no whole answer; warn: one is answered with 5xx, or meets a keep-alive connection that is just being closed",
		Needs: "a URL",
	},
	{
		Name:  "lameduck",
		Means: "load balancers look away before the door closes",
		Does:  "watches the readiness URL after SIGTERM",
		Fails: "warn: readiness stays green, or connections are refused before it went red",
		Needs: "a readiness URL",
	},
	{
		Name:  "twice",
		Means: "what a second Ctrl-C does when the stop takes long",
		Does:  "sends a second signal in a slow stop",
		Fails: "warn: it still runs after the grace period; what a second signal does is for information",
		Needs: "a stop that is slow",
	},
	{
		Name:  "storm",
		Means: "many signals do no more than one",
		Does:  "sends a thousand signals at once, SIGTERM and harmless ones, and more as the stop goes on",
		Fails: "it crashes, hangs, or loses requests",
	},
	{
		Name:  "paused",
		Means: "a daemon that was frozen stops when it thaws",
		Does:  "sends SIGSTOP, SIGTERM, SIGCONT",
		Fails: "it still runs after the grace period",
	},
	{
		Name:  "mute",
		Means: "it stops well even if its log is no longer read",
		Does:  "closes the other end of its output, then sends SIGTERM",
		Fails: "it hangs, or dies of SIGPIPE instead of stopping",
	},
	{
		Name:  "port",
		Means: "it can be started again at once",
		Does:  "stops it with connections open, and starts it again",
		Fails: "a port, a pid file or a socket is in the way, or it waits for connections that are idle",
	},
	{
		Name:  "pid1",
		Means: "it can be the only program of a container",
		Does:  "runs it as PID 1 of a namespace, with orphans, and sends SIGTERM",
		Fails: "it ignores SIGTERM there, or its zombies pile up; warn: orphans that are not its own are not reaped",
		Needs: "PID namespaces, and the right to make one",
	},
	{
		Name:  "again",
		Means: "its stops are all alike",
		Does:  "starts and stops it twenty times",
		Fails: "one ends in another way than the others",
	},
	{
		Name:  "orphans",
		Means: "nothing of it is left when it has gone",
		Does:  "looks for descendants after the end of every life above",
		Fails: "one is still there",
		Needs: "to see whose descendant a process is",
	},
}
