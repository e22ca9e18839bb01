//go:build unix

package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
)

// againTimes is how often the daemon is started and stopped.
const againTimes = 20

var againScenario = Scenario{
	Name:  "again",
	Means: "its stops are all alike",
	Does:  "starts and stops it twenty times",
	Fails: "one ends in another way than the others",
	play:  playAgain,
}

// playAgain starts and stops the daemon many times. All are to end in the same way.
func playAgain(r *runner) {
	if r.canStop() {
		return
	}
	n := r.times(againTimes)
	ways := map[string]int{}
	var stops []time.Duration
	for i := range n {
		r.say("life %d of %d", i+1, n)
		l, ok := r.begin()
		if !ok {
			return
		}
		o := l.stop(r.Signal)
		if r.ctx.Err() != nil {
			return
		}
		way := endText(o, r.Grace)
		if len(o.Left) > 0 {
			way += fmt.Sprintf(", %s left behind", text.Short(strings.Join(o.Left, ", "), 100))
		}
		if ways[way]++; ways[way] == 1 && len(ways) > 1 {
			l.isWorst()
		}
		stops = append(stops, o.Took)
	}
	r.stopTimes(stops)
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		r.fact("lives that ended so", float64(ways[way]), "", way)
	}
	if len(ways) > 1 {
		var list []string
		for _, way := range slices.SortedFunc(maps.Keys(ways), func(a, b string) int { return ways[b] - ways[a] }) {
			list = append(list, fmt.Sprintf("%d of %d: %s", ways[way], n, way))
		}
		r.fail(codeDiffers, strings.Join(list, "; "), "Something in its stop depends on chance: a race between the handler, the threads and the exit. The rare way is the one that production meets.")
		return
	}
	s := spread(stops)
	r.pass("%d stops alike, in %v to %v", n, text.Round(s.Min), text.Round(s.Max))
}
