package lastcall_test

import (
	"flag"
	"iter"
	"math/rand/v2"
	"testing"
	"time"
)

// randomFor has the random tests try other cases each time, for so long:
//
//	go test -race -run 'TestProperty$|AtRandom|OneByOne' -timeout 2h . -for 20m
var randomFor = flag.Duration("for", 0, "how long each random test tries random cases; 0 means its fixed ones")

// oneCase is a case that failed.
var oneCase = flag.Uint64("case", 0, "the seed of the only case that a random test tries, unless it is TestProperty; 0 means all")

// seeds are those of the cases of a random test: from 0 to n-1, or with -for random ones until its time is over. They end when
// the test has failed.
func seeds(t *testing.T, n uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		if *oneCase != 0 {
			yield(*oneCase)
			return
		}
		tried := uint64(0)
		defer func() {
			if *randomFor > 0 {
				t.Logf("%d cases", tried)
			}
		}()
		for until := time.Now().Add(*randomFor); !t.Failed(); tried++ {
			seed := tried
			switch {
			case *randomFor > 0 && time.Now().After(until), *randomFor == 0 && tried == n:
				return
			case *randomFor > 0:
				seed = rand.Uint64()
			}
			if !yield(seed) {
				return
			}
		}
	}
}
