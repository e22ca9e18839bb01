// Package lastcall makes daemons that stop well: workers that start in order, wait at no cost, and stop gracefully on a
// signal. They take no new work, finish what is in flight, and return within a time limit.
//
// # Create
//
// A [Group] is a set of workers with names. A worker is a function that blocks until its context ends:
//
//	var group lastcall.Group
//	group.Go("db", openAndServe, lastcall.AwaitReady(5*time.Second))
//	group.Add("web", serve.HTTP(server, listener), lastcall.After("db"))
//	group.Go("mail", sendMail, lastcall.After("db"), lastcall.Restart(lastcall.RestartPolicy{}))
//
// A worker starts when the workers that it comes [After] are ready. A worker is ready when its function is entered,
// which is before its first line has run. If dependents need what the function sets up, add the worker with
// [AwaitReady], and call [Ready] when the setup is complete. Workers are told to stop in reverse order, each when
// everything that depends on it has returned. A Group is a [Worker], so groups nest.
//
// # Run
//
//	lastcall.Main(&group)
//
// [Main] arms the signals, runs the group, writes how the stop went, and exits with a status that tells the truth. It
// does not return, so deferred calls of its caller do not run. [Run] is the same without the report and the exit, and
// [Group.Run] without the signals as well. An idle group costs nothing: one goroutine for each worker, none for the
// group, no timer and no polling.
//
// # Stop: the two contexts
//
// The commonest bug in daemons that "stop gracefully" is one context for everything: the signal ends it, and with it
// dies the work that the stop then waits for. Here there are two. The worker's ctx ends at the soft stop, which means:
// take no new work, finish what is in flight, return. [Grace](ctx) is the context for work in flight; it goes on until
// the hard stop. The right thing is the short thing:
//
//   - [Do] runs one unit of work under the grace context, counts it, and refuses it once the soft stop began.
//   - [Each] is the loop of a consumer of a broker: it takes under ctx and handles under the grace context.
//   - [Drain] is the loop of a consumer of a channel: at the stop it also handles the items that its producers, which have
//     stopped by then, left in the channel. [DrainFunc] is Drain for another queue in memory.
//   - [Every] and [NowAndEvery] are the loops of a periodic worker.
//   - [Closer] calls a function such as Close under the grace context when all workers that depend on it have returned.
//   - [Track] is Do for work that can no longer be refused, such as an accepted connection.
//
// These functions find their worker in the context. Outside a group, where the context comes from no worker, they do what
// their comments say, mostly nothing, so that a function can be tested alone. Tests can have such calls panic, see package
// lastcalltest.
//
// [context.Cause] says why a context ended, see [StopCause].
//
// # What goes wrong
//
// The whole stop has one budget, Group.Grace. At its end, or at a second signal, comes the hard stop: work in flight is
// cut, and is reported as interrupted, not failed. A worker that ignores the hard stop is abandoned: the report names
// it and shows the stacks of its goroutines. Workers that it depends on still stop in order, so a database is closed
// even after a stuck server. A worker's error or panic stops the group gracefully, unless a [Restart] policy starts the
// worker again. All errors are kept.
//
// # Observe and test
//
// Everything that happens is an [Event]; [Log] writes events as log lines. [Group.Report] tells at any time the state
// of each worker and since when, [Group.Ready] serves a readiness probe, and SIGUSR1 makes a live process print the
// report. Package lastcalltest tests how a worker stops, in virtual time.
package lastcall
