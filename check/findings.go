package check

import "slices"

// A Finding is a kind of fault that a scenario can report, with a stable code.
type Finding struct {
	Code     string // such as "LC030"; it never means something else
	Scenario string // that reports it; some are reported by others, too
	Verdict  Verdict
	Title    string // what was found, a few words
	Means    string // why that matters
	Author   string // what the author of the daemon can do
	Operator string // what its operator can do
}

// Findings are all of them, in the order of their codes. docs/findings.md shows them.
func Findings() []Finding { return slices.Clone(findings) }

// Codes of findings.
const (
	codeHangs           = "LC001"
	codeNoHandler       = "LC002"
	codeRuntimeHandler  = "LC003"
	codeBadStatus       = "LC004"
	codeCrash           = "LC005"
	codeBadStatusBusy   = "LC006"
	codeNoCtrlC         = "LC007"
	codeStartForgets    = "LC010"
	codeStartLeaves     = "LC011"
	codeStartCrashes    = "LC012"
	codeStartStatus     = "LC013"
	codeStartOpen       = "LC014"
	codeStartEnds       = "LC015"
	codeCutsRequests    = "LC020"
	codeFailsRequests   = "LC021"
	codeHangsAnswered   = "LC022"
	codeLosesLoad       = "LC030"
	codeHangsLoad       = "LC031"
	codeTurnsAway       = "LC032"
	codeClosesIdle      = "LC033"
	codeRefuses         = "LC034"
	codeLosesBefore     = "LC035"
	codeBacklog         = "LC036"
	codeHangsStreams    = "LC040"
	codeCutsStreams     = "LC041"
	codeReloadEnds      = "LC042"
	codeReloadLoses     = "LC043"
	codeLosesLog        = "LC044"
	codeStaysGreen      = "LC050"
	codeRefusesGreen    = "LC051"
	codeTwiceHangs      = "LC060"
	codeStormHangs      = "LC061"
	codeStormCrashes    = "LC062"
	codeStormLoses      = "LC063"
	codeThawHangs       = "LC070"
	codeThawCrashes     = "LC071"
	codeMuteHangs       = "LC080"
	codeMuteDies        = "LC081"
	codeMuteEnds        = "LC082"
	codeHangsConnected  = "LC090"
	codeStartsOnce      = "LC091"
	codePID1Ignores     = "LC100"
	codePID1Zombies     = "LC101"
	codePID1Orphans     = "LC102"
	codePID1StartsNot   = "LC103"
	codeDiffers         = "LC110"
	codeLeavesProcesses = "LC120"
	codeWakesUp         = "LC130"
	codeEndsIdle        = "LC131"
	codeRequired        = "LC140"
)

// Remedies that several findings share.
const (
	graceIsYours = "Give it more time if it needs that and ends by itself: `--grace`, TimeoutStopSec=, terminationGracePeriodSeconds, stop_grace_period."
	otherSignal  = "See whether another signal is its graceful stop (`--signal`), and set that where it runs: KillSignal=, STOPSIGNAL, stop_signal, stop.signal."
	holdSocket   = "Take it out of the balancer before the signal (a preStop sleep, deregistration first), or let a supervisor hold the socket (`lastcall up` with listen, systemd's socket units)."
	underInit    = "Run it under `lastcall run`, or another init."
	reportIt     = "Report it to the author, with this report's timeline."
)

var findings = []Finding{
	{codeHangs, "term", Fail, "still running at the end of the grace period", "The service manager kills it with SIGKILL: everything under way is lost.", "Handle the signal: stop taking work, finish what is in flight, return. Bound what the stop waits for.", graceIsYours + " " + otherSignal},
	{codeNoHandler, "term", Fail, "no handler for the stop signal", "The default action ends the process at once, whatever is in flight.", "Install a handler before the first socket is opened.", otherSignal},
	{codeRuntimeHandler, "term", Fail, "only the runtime handles the stop signal", "Node.js, Java and .NET catch the signal and end the program; requests in flight are cut.", "Handle the signal in the program, and end when the requests are answered.", "Take it out of the balancer before the signal, long enough for its slowest request."},
	{codeBadStatus, "term", Fail, "bad exit status after a requested stop", "Service managers count the stop as a failure, and may restart the service or raise an alarm.", "Exit with 0 after a stop that was requested.", "Accept the status: `--exit`, SuccessExitStatus=, success codes."},
	{codeCrash, "term", Fail, "crash during the stop", "What the stop had still to do is not done, and the status says failure.", "See the core dump or the trace: something is used after it was closed, or closed twice.", reportIt},
	{codeBadStatusBusy, "inflight", Fail, "bad exit status only with clients", "The stop looks clean in a test without load, and is a failure in production.", "Exit with 0 after a stop that was requested, whatever was open.", "Accept the status: `--exit`, SuccessExitStatus=, success codes."},
	{codeNoCtrlC, "int", Warn, "Ctrl-C does not stop it well", "A person who starts it in a terminal cannot stop it, or cuts what is in flight.", "Handle SIGINT as SIGTERM, unless the documentation says SIGTERM only.", "None is needed where nobody starts it in a terminal."},
	{codeStartForgets, "startup", Fail, "a signal during the start is lost", "A deploy that is cancelled at once hangs until SIGKILL.", "Install the handler first, and look after each step of the start whether a stop was requested.", graceIsYours},
	{codeStartLeaves, "startup", Fail, "a stop during the start leaves processes behind", "They hold ports, files and memory, and nobody knows them.", "Register a child with the handler before it is started.", underInit},
	{codeStartCrashes, "startup", Fail, "a stop during the start crashes", "The stop meets what is not there yet; the status says failure.", "Let the stop check what exists, or wait for the end of the start.", reportIt},
	{codeStartStatus, "startup", Warn, "bad exit status after a stop during the start", "Service managers count it as a failed start.", "Exit with 0: a start that was called off is no failure.", "Accept the status (`--exit`)."},
	{codeStartOpen, "startup", Warn, "no handler while sockets or files are open", "For a moment clients can connect, and the signal kills.", "Install the handler before the first socket is opened.", "None is needed if deploys wait for readiness before they stop it again."},
	{codeStartEnds, "startup", Fail, "ends by itself during the start", "It starts only sometimes.", "See its output.", reportIt},
	{codeCutsRequests, "inflight", Fail, "requests in flight are cut", "Clients get a reset or half an answer at each deploy.", "Close the listener, keep the connections, answer what is in flight, then return.", otherSignal},
	{codeFailsRequests, "inflight", Fail, "requests in flight are answered with 5xx", "Clients see errors at each deploy.", "Run requests on a context that outlives the signal.", otherSignal},
	{codeHangsAnswered, "inflight", Fail, "still running after the last answer", "It waits for something that no longer comes, until SIGKILL.", "Bound what the stop waits for.", graceIsYours},
	{codeLosesLoad, "load", Fail, "requests on accepted connections are lost", "The daemon had taken them: the client cannot know whether they were carried out.", "Stop in this order: no longer ready; accept what is in the queue; answer what was sent, with `Connection: close`; close.", holdSocket},
	{codeHangsLoad, "load", Fail, "does not stop under load", "Connections that go on asking keep it from ending.", "Say `Connection: close` in the answers of the stop, close idle connections, set a limit.", "Take it out of the balancer before the signal."},
	{codeTurnsAway, "load", Warn, "answers 5xx after the signal", "Clients see errors that a refused connection would spare them.", "Serve what comes, or refuse the connection: clients and balancers try those elsewhere.", holdSocket},
	{codeClosesIdle, "load", Warn, "a request meets a connection that is being closed", "A client may resend what is idempotent (RFC 9110, 9.2.2), and not a POST.", "Say `Connection: close` in the last answer, and wait a moment before idle connections are closed.", "Let the balancer's idle timeout be shorter than the daemon's."},
	{codeRefuses, "load", Warn, "connections are refused during the stop", "Where nothing else listens, clients see an error.", "None: it is the supervisor's matter.", holdSocket},
	{codeLosesBefore, "load", Warn, "requests are lost without a stop", "What a stop loses cannot be told from that.", "Raise the backlog of the listening socket and the number of workers.", "Raise net.core.somaxconn, and the daemon's own limits."},
	{codeBacklog, "backlog", Warn, "connections in the accept queue are reset", "The kernel had completed them; a client sees a reset, and not a refusal that it would try elsewhere.", "Accept for some seconds after the signal (a lame duck), then close.", holdSocket},
	{codeHangsStreams, "stream", Fail, "open streams keep it from stopping", "It is killed at the end of the grace period.", "Tell each streaming handler of the stop, so that it ends its answer.", "Close long connections at the proxy, or give it a shorter limit of its own."},
	{codeCutsStreams, "stream", Warn, "streams are cut without an end", "A client cannot tell a deploy from a crash, and all come back at once.", "End the answer, or send a close frame with 1001, some connections at a time.", "Let the proxy close them before the signal."},
	{codeReloadEnds, "reload", Fail, "a reload ends it", "A change of the configuration is an outage.", "Handle the reload signal, before the first socket is opened.", "See which signal reloads it (`--reload-signal`, ExecReload=)."},
	{codeReloadLoses, "reload", Fail, "a reload loses requests", "Each change of the configuration costs clients a request.", "Keep the listening socket over the reload, and let the old workers finish.", "Restart it behind a balancer, one instance after the other, in place of a reload."},
	{codeLosesLog, "log", Warn, "the last lines of the log are lost", "What happened just before the stop is what an incident asks for.", "Flush the log at the end of the stop, after the last request.", "Switch buffering of the log off, if that is a setting."},
	{codeStaysGreen, "lameduck", Warn, "readiness never goes red", "Balancers send requests until connections are refused.", "Answer readiness with 503 after the signal, and serve on for some seconds.", "Add a preStop sleep, or deregister it first."},
	{codeRefusesGreen, "lameduck", Warn, "connections are refused while readiness is green", "Balancers send requests to a closed door.", "Answer readiness with 503 first, and close the listener later.", "Add a preStop sleep, or deregister it first."},
	{codeTwiceHangs, "twice", Warn, "a second signal keeps it from stopping", "An impatient person makes it hang.", "Let the second signal do nothing, or end it at once.", reportIt},
	{codeStormHangs, "storm", Fail, "many signals make it hang", "A handler that interrupts itself deadlocks, sooner or later with two signals as well.", "Let the handler only note the signal, see signal-safety(7).", reportIt},
	{codeStormCrashes, "storm", Fail, "many signals crash it", "A handler cannot be entered twice, or a stop is begun twice.", "Let the handler only note the signal; begin the stop once.", reportIt},
	{codeStormLoses, "storm", Fail, "many signals lose requests that one does not", "A stop that has begun begins again.", "Begin the stop once.", reportIt},
	{codeThawHangs, "paused", Fail, "a signal that comes while it is frozen is lost", "A paused container or a suspended machine does not stop.", "Look for code that starts again at SIGCONT, or waits without looking at the request.", reportIt},
	{codeThawCrashes, "paused", Fail, "crash when it thaws", "What the stop had to do is not done.", "See the core dump or the trace.", reportIt},
	{codeMuteHangs, "mute", Fail, "a closed log keeps it from stopping", "A service manager that restarts, or a full pipe, makes it hang.", "Ignore SIGPIPE and failures to write to the log.", "Let it log into a file or to the journal."},
	{codeMuteDies, "mute", Warn, "dies of SIGPIPE during the stop", "What the stop had still to do is not done.", "Ignore SIGPIPE. A Go program: signal.Ignore(syscall.SIGPIPE).", "Let it log into a file or to the journal."},
	{codeMuteEnds, "mute", Fail, "a closed log ends it", "The end of the log's reader is the end of the service.", "Ignore SIGPIPE and failures to write to the log.", "Let it log into a file or to the journal."},
	{codeHangsConnected, "port", Fail, "open connections keep it from stopping", "It waits for clients to go, and nothing tells them.", "Close idle connections at the stop, or set a limit.", graceIsYours},
	{codeStartsOnce, "port", Fail, "cannot be started again", "A restart fails until somebody cleans up.", "Give ports, sockets, pid files and locks back at the stop, or take them over at the start.", "Remove what is left in ExecStartPre=, or a start script."},
	{codePID1Ignores, "pid1", Fail, "does not stop as PID 1", "The kernel gives PID 1 no signal that it has no handler for (kill(2)): a container stops by SIGKILL only.", "Install a handler.", underInit},
	{codePID1Zombies, "pid1", Fail, "does not wait for its own children", "Zombies pile up until no process can be started.", "Wait for each child that is started.", underInit},
	{codePID1Orphans, "pid1", Warn, "does not reap orphans as PID 1", "Orphans of health checks and `docker exec` stay as zombies.", "None is needed where an init runs in front of it.", underInit},
	{codePID1StartsNot, "pid1", Fail, "does not start as PID 1", "It cannot be the only program of a container.", "See its output.", underInit},
	{codeDiffers, "again", Fail, "stops end in different ways", "The rare way is the one that production meets.", "Look for a race between the handler, the threads and the exit.", reportIt},
	{codeLeavesProcesses, "orphans", Fail, "processes are left behind", "They hold ports, files and memory, and nobody knows them.", "Stop the children and wait for them before the exit.", "Run it under `lastcall run`, which stops the whole family; systemd's KillMode=control-group does."},
	{codeWakesUp, "idle", Warn, "wakes up with nothing to do", "It costs power on each of a thousand machines.", "Wait for the event itself: a condition, a descriptor, a timer that is due.", "See whether its poll interval is a setting."},
	{codeEndsIdle, "idle", Fail, "ends by itself", "Nobody asked for it.", "See its output. The end of standard input is a frequent cause.", "Keep it in the foreground (daemon off, -F, -DFOREGROUND)."},
	{codeRequired, "any", Fail, "required, and not looked at", "The check says nothing of what `--require` names.", "Give what the scenario needs: a URL, a slow one, a readiness URL.", "Give what the scenario needs: a URL, a slow one, a readiness URL."},
}
