// Package engine decides when the workers of one group start, stop, restart and are given up. It is a pure state machine:
// [Engine.Step] takes a time and an [Input] and returns what is to be done. It has no goroutine, no lock, no clock, no
// context and no user code, so that every decision can be tested as a table of steps.
//
// # Vocabulary
//
// A member is a name in the group. It has replicas, usually one. An attempt is one start of a replica. A [Spec] says what
// a replica depends on and how it lives; the replicas of a member share one, except while the member is being replaced.
//
// # How it decides
//
// Each replica has a [Phase], which is what it does, and a [Wanted], which is what is asked of it. Both change in one
// function each, enter and want. From the two follow a few facts (see facts), of which members and specs keep counts.
// The counts change in one place, account, by the difference of the facts before and after. The function consider looks
// at one replica and does what is due for it. Every change puts the replicas that it may concern into a queue, and Step
// ends when the queue is empty. So no operation needs to know what follows from it.
//
// With the build tag "invariants", and under the race detector, all counts are recounted after each step.
//
// # Reading order
//
// input.go, action.go, phase.go and engine.go (what goes in and out), graph.go, version.go, replica.go and account.go (what is there and counted),
// consider.go (what is due), stop.go and plan.go (the stop and its times), restart.go (ends and back-off), operate.go and
// review.go (operations on one member).
package engine
