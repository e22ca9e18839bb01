// Package lastcalltest tests how a worker stops: any func(context.Context) error, [lastcall.Worker] or [lastcall.Group].
//
// # One stop
//
// A test of a graceful stop has five lines: start, wait until ready, have work in flight, stop softly, say how it must end.
//
//	synctest.Test(t, func(t *testing.T) {
//		w := lastcalltest.Go(t, "mailer", mailer)
//		w.AwaitReady()
//		queue <- "a"
//		w.AwaitInFlight(1)
//		w.Stop()
//		w.AssertFinished()
//	})
//
// [Running.AssertFinished] fails if the worker failed or panicked, if its work was cut by the hard stop, if the worker was
// abandoned, or if it left a goroutine behind, and names each with its stack. [Running.AssertCut],
// [Running.AssertAbandoned] and [Running.AssertLeaked] are for workers that are meant to end in these ways.
//
// Inside a bubble of testing/synctest time is virtual: a grace period of 25 s takes microseconds, and "wait until ready" waits
// until every goroutine of the test is blocked. Outside a bubble everything works in real time, which a worker with real
// sockets needs.
//
// # Work outside the count
//
// The library counts work that runs under [lastcall.Do], Each, Every or package serve. A [Work] is for the rest, such as
// items in a queue that were acknowledged and not handled yet: the test's fakes note what was accepted and what was
// finished, and the difference is lost work.
//
// # Many stops
//
// [Stress] starts and stops a worker at random instants, also while it starts, and prints the seed of a round that ends
// badly.
package lastcalltest
