//go:build unix

// Command corpus plays the check's scenarios against small daemons, each of them healthy or broken in one way, and writes the
// table of all verdicts:
//
//	go run ./check/corpus                     # all, which takes a few minutes
//	go run ./check/corpus -only 'python/'     # those whose name matches
//	go run ./check/corpus -write              # replace the table in check/README.md
//
// It exits with 1 if a verdict is not the one that the corpus says. The tests beside it play of each daemon what it is there for.
package main

import (
	"slices"

	"github.com/lastcall-go/lastcall/check"
)

// A Daemon is one of the corpus.
type Daemon struct {
	Name   string   // its language, and what is broken
	Args   []string // besides where it listens
	Broken string   // one line; "" if it is healthy
	Web    bool     // it speaks HTTP: / is answered at once, /slow takes a second
	Duck   bool     // it answers /ready too, and requests for some time after the signal
	Reload bool     // SIGHUP reloads it
	Logs   bool     // it logs requests to its output
	Stream bool     // it answers /events with server-sent events
	Admin  bool     // it answers /ready on a port of its own
	Ready  string   // what Check.Ready is, if anything

	// Aim is the scenario that it is there for; "" means all of them.
	Aim string
	// Want is what is not to pass, Aim included. What cannot be played for want of a URL is skipped without being listed.
	Want map[string]check.Verdict
	// Says is in the summary of Aim.
	Says string
}

const (
	pass = check.Pass
	warn = check.Warn
	fail = check.Fail
	skip = check.Skip
)

type verdicts = map[string]check.Verdict

// want is the verdict of a scenario.
func (d *Daemon) want(scenario string) check.Verdict {
	if v, ok := d.Want[scenario]; ok {
		return v
	}
	switch {
	case !d.Web && (scenario == "inflight" || scenario == "load" || scenario == "backlog"), scenario == "stream" && !d.Stream, scenario == "reload" && !d.Reload, scenario == "log" && !d.Logs,
		scenario == "lameduck" && !d.Duck && !d.Admin,
		d.Want["term"] == fail && d.Says == stillThere && d.Aim == "term" && !slices.Contains([]string{"idle", "int", "orphans"}, scenario):
		return skip
	}
	return pass
}

// stillThere is said of what hangs.
const stillThere = "still there"

// ignoresIt is said of what goes on, and may.
const ignoresIt = "ignores SIGINT"

// corpus is all daemons, by the scenario that they are there for.
var corpus = []*Daemon{
	// Healthy. What is no PID 1 by trade does not bury others' dead: the warning is right.
	{Name: "go/healthy", Web: true, Want: verdicts{"pid1": warn}},
	{Name: "python/healthy", Web: true, Want: verdicts{"pid1": warn}},
	{Name: "sh/healthy"},
	{Name: "go/lame-duck", Args: []string{"-lame-duck", "1s"}, Web: true, Duck: true, Aim: "lameduck", Want: verdicts{"pid1": warn}},
	{Name: "python/lame-duck", Args: []string{"--lame-duck", "1"}, Web: true, Duck: true, Aim: "lameduck", Want: verdicts{"pid1": warn}},

	{Name: "go/poll", Web: true, Aim: "idle", Broken: "a goroutine looks ten times a second whether there is work", Want: verdicts{"idle": warn, "pid1": warn}},
	{Name: "python/polls", Web: true, Aim: "idle", Broken: "a thread looks ten times a second whether there is work", Want: verdicts{"idle": warn, "pid1": warn}},
	{Name: "python/timer", Web: true, Aim: "idle", Broken: "an interval timer interrupts it twenty times a second", Want: verdicts{"idle": warn, "pid1": warn}},
	{Name: "sh/sleep-loop", Aim: "idle", Broken: "`sleep 1` in a loop", Want: verdicts{"idle": warn}},

	{Name: "sh/exit-143", Aim: "term"},
	{Name: "sh/ignores-term", Aim: "term", Broken: "ignores SIGTERM", Want: verdicts{"term": fail}, Says: stillThere},
	{Name: "go/ignores-term", Web: true, Aim: "term", Broken: "ignores SIGTERM", Want: verdicts{"term": fail}, Says: stillThere},
	{Name: "python/never-joins", Web: true, Aim: "term", Broken: "a thread never learns of the stop", Want: verdicts{"term": fail, "int": fail}, Says: stillThere},
	{Name: "go/no-handler", Web: true, Aim: "term", Broken: "has no handler", Says: "no handler",
		Want: verdicts{"term": fail, "int": fail, "startup": warn, "inflight": fail, "load": fail, "backlog": warn, "storm": skip, "pid1": fail}},
	{Name: "python/no-handler", Web: true, Aim: "term", Broken: "has no handler for SIGTERM", Says: "no handler",
		Want: verdicts{"term": fail, "startup": warn, "inflight": fail, "load": fail, "backlog": warn, "storm": skip, "pid1": fail}},
	{Name: "go/exit-1", Web: true, Aim: "term", Broken: "exits with 1 after a good stop", Want: verdicts{"term": fail, "int": fail, "pid1": warn}, Says: "exit code 1"},
	{Name: "sh/exit-1", Aim: "term", Broken: "exits with 1 after a good stop", Want: verdicts{"term": fail, "int": fail}, Says: "exit code 1"},
	{Name: "go/panic", Web: true, Aim: "term", Broken: "closes a channel twice on its way out", Want: verdicts{"term": fail, "int": fail, "pid1": warn}, Says: "exit code 2"},
	{Name: "python/exception", Web: true, Aim: "term", Broken: "an exception on its way out", Want: verdicts{"term": fail, "int": fail, "pid1": warn}, Says: "exit code 1"},
	{Name: "python/segfault", Web: true, Aim: "term", Broken: "a wild pointer on its way out", Want: verdicts{"term": fail, "int": fail, "pid1": warn}, Says: "SIGSEGV"},
	{Name: "python/abort", Web: true, Aim: "term", Broken: "a failed assertion on its way out", Want: verdicts{"term": fail, "int": fail, "pid1": fail}, Says: "SIGABRT"},

	{Name: "go/no-int", Web: true, Aim: "int", Broken: "handles SIGTERM only", Want: verdicts{"int": warn, "pid1": warn}, Says: "no handler"},
	{Name: "python/no-int", Web: true, Aim: "int", Broken: "handles SIGTERM only", Want: verdicts{"int": warn, "pid1": warn}, Says: "no handler"},
	{Name: "sh/ignores-int", Aim: "int", Broken: "ignores SIGINT", Want: verdicts{"int": warn}, Says: ignoresIt},
	{Name: "python/ignores-int", Web: true, Aim: "int", Broken: "ignores SIGINT", Want: verdicts{"int": warn, "pid1": warn}, Says: ignoresIt},

	{Name: "python/exit-1-if-busy", Web: true, Aim: "port", Broken: "exits with 1 if a client is connected at the stop",
		Want: verdicts{"port": fail, "inflight": fail, "pid1": warn}, Says: "3 connections open; when it is idle: exit code 0"},

	{Name: "node/no-handler", Web: true, Aim: "term", Broken: "the runtime's handler is the only one", Says: "it has no handler of its own",
		Want: verdicts{"term": fail, "int": fail, "inflight": fail, "load": fail, "backlog": warn, "pid1": fail}},

	{Name: "python/forgets-early", Web: true, Aim: "startup", Broken: "initialisation overwrites the flag that its handler has set",
		Want: verdicts{"startup": fail, "pid1": warn}, Says: stillThere},
	{Name: "go/startup-panic", Web: true, Aim: "startup", Broken: "the handler stops a server that is not made yet",
		Want: verdicts{"startup": fail, "load": fail, "backlog": warn, "pid1": warn}, Says: "panic"},
	{Name: "python/startup-child", Web: true, Aim: "startup", Broken: "the handler does not know the helper that prepares the start",
		Want: verdicts{"startup": fail, "orphans": fail, "pid1": warn}, Says: "left sleep"},
	{Name: "sh/no-trap-at-start", Ready: "log:^ready", Aim: "startup", Broken: "the trap comes after the helper",
		Want: verdicts{"startup": fail, "orphans": fail}, Says: "left sleep"},
	{Name: "python/late-handler", Web: true, Ready: "log:^listening", Aim: "startup", Broken: "listens before there is a handler",
		Want: verdicts{"startup": warn, "pid1": warn}, Says: "with socket open"},

	{Name: "go/close", Web: true, Aim: "inflight", Broken: "http.Server.Close", Want: verdicts{"inflight": fail, "load": fail, "backlog": warn, "pid1": warn}, Says: "/slow"},
	{Name: "python/exits-at-once", Web: true, Aim: "inflight", Broken: "the handler calls exit", Want: verdicts{"inflight": fail, "load": fail, "backlog": warn, "pid1": warn}, Says: "/slow"},
	{Name: "go/cuts-body", Web: true, Aim: "inflight", Broken: "requests hang off the context that the signal ends",
		Want: verdicts{"inflight": fail, "pid1": warn}, Says: "cut in the body"},
	{Name: "go/busy", Web: true, Aim: "inflight", Broken: "gives up what is under way, with 503", Want: verdicts{"inflight": fail, "pid1": warn}, Says: "5xx"},

	{Name: "go/shutdown", Web: true, Aim: "load", Broken: "http.Server.Shutdown, see golang/go#65802", Want: verdicts{"load": fail, "backlog": warn, "pid1": warn}, Says: "lost"},
	{Name: "python/closes-queue", Web: true, Aim: "backlog", Broken: "closes the listener with what waits in its queue",
		Want: verdicts{"backlog": warn, "pid1": warn}, Says: "never accepted"},
	{Name: "python/closes-idle", Web: true, Aim: "load", Broken: "closes connections with an unread request",
		Want: verdicts{"load": fail, "pid1": warn}, Says: "on a connection in use"},
	{Name: "go/turns-away", Args: []string{"-lame-duck", "1s"}, Web: true, Aim: "load", Broken: "answers 503 after the signal",
		Want: verdicts{"load": warn, "pid1": warn}, Says: "5xx"},

	{Name: "go/ends-streams", Web: true, Stream: true, Aim: "stream", Want: verdicts{"pid1": warn}},
	{Name: "go/forgets-streams", Web: true, Stream: true, Aim: "stream", Broken: "never ends its server-sent events", Want: verdicts{"stream": fail, "pid1": warn}, Says: stillThere},

	{Name: "go/reloads", Web: true, Reload: true, Aim: "reload", Want: verdicts{"pid1": warn}},
	{Name: "go/reopens", Web: true, Reload: true, Aim: "reload", Broken: "closes its listener at a reload and opens it again", Want: verdicts{"reload": fail, "backlog": warn, "load": fail, "pid1": warn}, Says: "lost"},
	{Name: "go/logs", Web: true, Logs: true, Aim: "log", Want: verdicts{"pid1": warn}},
	{Name: "go/buffers-log", Web: true, Logs: true, Aim: "log", Broken: "writes its log every half second, and not at the end", Want: verdicts{"log": warn, "pid1": warn}, Says: "not in its log"},

	{Name: "go/stays-green", Args: []string{"-lame-duck", "1s"}, Web: true, Duck: true, Aim: "lameduck", Broken: "readiness does not know of the stop",
		Want: verdicts{"lameduck": warn, "pid1": warn}, Says: "never went red"},
	{Name: "python/stays-green", Args: []string{"--lame-duck", "1"}, Web: true, Duck: true, Aim: "lameduck", Broken: "readiness does not know of the stop",
		Want: verdicts{"lameduck": warn, "pid1": warn}, Says: "never went red"},
	{Name: "go/refuses-first", Web: true, Admin: true, Aim: "lameduck", Broken: "the door closes while readiness is green",
		Want: verdicts{"lameduck": warn, "pid1": warn}, Says: "before readiness went red"},

	// twice informs: these are its three outcomes.
	{Name: "go/forces", Web: true, Aim: "twice", Want: verdicts{"pid1": warn}, Says: "ends it"},
	{Name: "python/patient", Web: true, Aim: "twice", Want: verdicts{"pid1": warn}, Says: "changes nothing"},
	{Name: "sh/quick", Aim: "twice", Says: "no time"},

	{Name: "python/closes-each", Web: true, Aim: "twice", Want: verdicts{"pid1": warn}, Says: "changes nothing"},
	{Name: "python/one-signal", Web: true, Aim: "storm", Want: verdicts{"pid1": warn}},
	{Name: "python/storm-lock", Web: true, Aim: "storm", Broken: "the handler waits for a lock that it holds itself",
		Want: verdicts{"storm": fail, "twice": warn, "pid1": warn}, Says: stillThere},
	{Name: "python/storm-abort", Web: true, Aim: "storm", Broken: "the handler cannot be entered twice", Want: verdicts{"storm": fail, "pid1": warn}, Says: "SIGABRT"},
	{Name: "go/storm-panic", Web: true, Aim: "storm", Broken: "the stop is begun twice, and crashes", Want: verdicts{"storm": fail, "load": fail, "backlog": warn, "pid1": warn}, Says: "panic"},
	{Name: "go/storm-restart", Web: true, Aim: "storm", Broken: "each signal restarts the stop and cuts requests in flight",
		Want: verdicts{"storm": fail, "load": fail, "backlog": warn, "pid1": warn}, Says: "lost"},

	{Name: "python/starts-over", Web: true, Aim: "paused", Broken: "SIGCONT makes it forget what it was asked for",
		Want: verdicts{"paused": fail, "load": fail, "pid1": warn}, Says: stillThere},
	{Name: "go/resumes", Web: true, Aim: "paused", Broken: "takes a stop for a mistake that comes together with SIGCONT",
		Want: verdicts{"paused": fail, "load": fail, "pid1": warn}, Says: stillThere},

	{Name: "go/sigpipe", Web: true, Aim: "mute", Broken: "the last line of its log kills it", Want: verdicts{"mute": warn, "pid1": warn}, Says: "SIGPIPE"},
	{Name: "python/no-log", Web: true, Aim: "mute", Broken: "does not expect that its log cannot be written", Want: verdicts{"mute": fail, "pid1": warn}, Says: "exit code 1"},
	{Name: "python/waits-for-log", Web: true, Aim: "mute", Broken: "tries to write its last line until it can", Want: verdicts{"mute": fail, "pid1": warn}, Says: stillThere},
	{Name: "sh/waits-for-log", Aim: "mute", Broken: "tries to write its last line until it can", Want: verdicts{"mute": fail}, Says: stillThere},

	{Name: "sh/pidfile", Aim: "port"},
	{Name: "python/unix-socket", Web: true, Aim: "port", Want: verdicts{"pid1": warn}},
	{Name: "sh/stale-pidfile", Aim: "port", Broken: "leaves its pid file, and does not start with one", Says: "already running", Want: startsOnce("inflight", "load", "backlog")},
	{Name: "python/stale-socket", Web: true, Aim: "port", Broken: "leaves its socket, and does not start with one", Says: "could not be started again", Want: startsOnce()},
	{Name: "python/no-reuse", Web: true, Aim: "port", Broken: "no SO_REUSEADDR", Says: "could not be started again", Want: startsOnce()},

	{Name: "python/reaps", Web: true, Aim: "pid1"},
	{Name: "sh/re-raises", Aim: "pid1", Broken: "ends by a signal to itself, which PID 1 does not get", Want: verdicts{"pid1": fail}, Says: stillThere},
	{Name: "python/zombies", Web: true, Aim: "pid1", Broken: "does not wait for its children", Want: verdicts{"pid1": fail}, Says: "zombies of its own"},
	{Name: "python/buries-none", Web: true, Aim: "pid1", Broken: "does not wait for children that it did not start", Want: verdicts{"pid1": warn}, Says: "orphans stayed zombies"},

	{Name: "sh/alternates", Aim: "again", Broken: "every second stop ends with another status", Want: verdicts{"again": fail}, Says: "exit code 143"},
	{Name: "python/every-third", Web: true, Aim: "again", Broken: "every third stop ends with another status", Want: verdicts{"again": fail, "pid1": warn}, Says: "exit code 143"},

	{Name: "python/helper", Web: true, Aim: "orphans", Want: verdicts{"pid1": warn}},
	{Name: "go/orphan", Web: true, Aim: "orphans", Broken: "forgets its helper", Want: verdicts{"startup": fail, "orphans": fail, "pid1": warn}, Says: "sleep 86400"},
	{Name: "sh/setsid", Aim: "orphans", Broken: "forgets its helper in a session of its own", Want: verdicts{"startup": fail, "orphans": fail}, Says: "sleep 86400"},
	{Name: "python/double-fork", Web: true, Aim: "orphans", Broken: "forgets its helper, which has left it by a double fork",
		Want: verdicts{"startup": fail, "orphans": fail, "pid1": warn}, Says: "sleep 86400"},
}

// startsOnce are the verdicts on a daemon that does not start a second time.
func startsOnce(without ...string) verdicts {
	all := verdicts{}
	for _, s := range check.Scenarios() {
		if s.Name != "orphans" && s.Name != "lameduck" && s.Name != "stream" && s.Name != "reload" && s.Name != "log" && !slices.Contains(without, s.Name) {
			all[s.Name] = fail
		}
	}
	return all
}
