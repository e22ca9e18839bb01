package lastcalltest

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// Stress starts and stops a worker again and again, each time at another instant: while it starts, when a timer of its is
// due, in between. Use it inside a bubble of testing/synctest, where a thousand rounds take less than a second:
//
//	synctest.Test(t, func(t *testing.T) {
//		lastcalltest.Stress{Rounds: 1000}.Run(t, func(work *lastcalltest.Work) lastcall.Worker {
//			return newConsumer(work)
//		})
//	})
type Stress struct {
	Rounds int           // 0 means 100
	Within time.Duration // the soft stop comes at most so long after the start; 0 means 1 s
	Seed   uint64        // of the first round; each further round has the next. 0 means a random one.
}

// Run makes a worker with start for each round, runs it, and stops it at a random instant. The worker must stop as in
// [Running.AssertFinished], and finish what it accepted in work. In every fourth round, on average, a hard stop follows at a
// random instant: then work may be cut and lost, but the worker must still return, without a panic, and leave nothing behind.
//
// Run ends with the first round that goes wrong. The failure has its seed: with that and one round the instants are the same.
// The order of goroutines that are ready at one instant is the scheduler's, so a repeat may need a few rounds.
func (s Stress) Run(tb testing.TB, start func(work *Work) lastcall.Worker) {
	tb.Helper()
	if !inBubble() {
		tb.Fatal("lastcalltest.Stress needs virtual time: call it inside synctest.Test")
	}
	if s.Rounds == 0 {
		s.Rounds = 100
	}
	if s.Within == 0 {
		s.Within = time.Second
	}
	if s.Seed == 0 {
		s.Seed = rand.Uint64()
	}
	for i := range s.Rounds {
		seed := s.Seed + uint64(i)
		if wrong := s.round(seed, start); wrong != "" {
			tb.Errorf("round %d of %d, Stress{Seed: %d, Rounds: 1}: %s", i+1, s.Rounds, seed, wrong)
			return
		}
	}
}

// round is one start and stop. It returns what went wrong.
func (s Stress) round(seed uint64, start func(work *Work) lastcall.Worker) string {
	random := rand.New(rand.NewPCG(seed, seed))
	var work Work
	r := begin("worker", start(&work))
	after := instant(random, s.Within)
	select {
	case <-r.done:
	case <-time.After(after):
		for range random.IntN(30) { // an instant has an inside: some goroutines have run, and others not
			runtime.Gosched()
		}
	}
	r.signal()
	if random.IntN(4) > 0 {
		<-r.done
		if v := r.judge(&work); !v.well() {
			return "stopped after " + after.String() + v.text()
		}
		return ""
	}
	hard := secondSignal + instant(random, s.Within)
	select {
	case <-r.done:
	case <-time.After(hard):
		r.signal()
	}
	<-r.done
	if v := r.judge(); len(v.failed)+len(v.abandoned)+len(v.left) > 0 {
		return "stopped after " + after.String() + ", cut " + hard.String() + " later" + v.text()
	}
	return ""
}

// instant is a random time below within: at once, a round number of milliseconds, at which timers of others are due as well, or any.
func instant(random *rand.Rand, within time.Duration) time.Duration {
	d := time.Duration(random.Int64N(int64(within)))
	switch random.IntN(4) {
	case 0:
		return 0
	case 1:
		return d.Truncate(10 * time.Millisecond)
	}
	return d
}
