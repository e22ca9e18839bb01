// Package lastcall makes daemons that stop well: workers that start in order, wait at no cost, and stop gracefully on a
// signal. When a signal says "last call", nobody takes a new order, everyone finishes what is on the table, and the
// doors close on time.
//
// # Make
//
// A [Group] is workers with names. A worker is a function that blocks until its context ends:
//
//	var group lastcall.Group
//	group.Go("db", openAndServe, lastcall.AwaitReady(5*time.Second))
//	group.Add("web", serve.HTTP(server, listener), lastcall.After("db"))
//	group.Go("mail", sendMail, lastcall.After("db"), lastcall.Restart(lastcall.RestartPolicy{}))
//
// Workers start when what they are [After] is ready. A worker is ready when its function is entered, which is before its
// first line has run: where a dependent needs what the function sets up, add the worker with [AwaitReady], and have it call
// [Ready] when that stands. Workers are told to stop in the reverse order, each when everything that depends on it has
// returned. A Group is a [Worker], so groups nest.
//
// # Run
//
//	lastcall.Main(&group)
//
// [Main] arms the signals, runs the group, writes how the stop went and exits with a status that tells the truth. [Run] is
// the same without the exit, and [Group.Run] without the signals. While the group is idle nothing of it runs: there is one
// goroutine a worker, none more for the group, no timer and no polling.
//
// # Stop: the two contexts
//
// The commonest bug in daemons that "stop gracefully" is one context for everything: the signal ends it, and with it dies
// the work that the stop then waits for. Here there are two. The worker's ctx ends at the soft stop, which means: take no
// new work, finish what is in flight, return. [Grace](ctx) is the context for work in flight; it goes on until the hard
// stop. The right thing is the short thing:
//
//   - [Do] runs one unit of work under the grace context, counts it, and refuses it once the soft stop began.
//   - [Each] is the loop of a consumer of a broker: it takes under ctx and handles under the grace context.
//   - [Drain] is the loop of a consumer of a channel: at the stop it also handles what its producers, which have stopped by then, have
//     left in the channel. [DrainFunc] is Drain for a queue in memory.
//   - [Every] and [NowAndEvery] are the loops of a periodic worker.
//   - [Closer] closes something under the grace context when all that use it have returned.
//   - [Track] is Do for work that cannot be refused any more, such as a connection that was accepted.
//
// [context.Cause] tells everything apart, see [StopCause].
//
// # What goes wrong
//
// The whole stop has one budget, Group.Grace. At its end, or at a second signal, comes the hard stop: work in flight is
// cut, and is reported as interrupted, not failed. Who does not return even then is abandoned, by name, with the stacks of
// its goroutines; what depends on nothing else still gets its turn, so a database is closed also after a stuck server. A
// worker's error or panic stops the group gracefully, unless it is to [Restart]. All errors are kept.
//
// # Look on
//
// Everything that happens is an [Event]; [Log] writes them as log lines. [Group.Report] tells at any time who is in which
// state since when, [Group.Ready] is for a readiness probe, and on a live process SIGUSR1 prints the report.
package lastcall
