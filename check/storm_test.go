//go:build linux

package check

import (
	"strings"
	"testing"
)

// What a second signal does, storm finds out by itself if twice has not: its verdict does not hang on what is played besides.
func TestStormKnowsWhatASecondSignalDoes(t *testing.T) {
	for _, only := range [][]string{{"storm"}, {"twice", "storm"}} {
		t.Run(strings.Join(only, " and "), func(t *testing.T) {
			t.Parallel()
			c := lifeOf("forced")
			c.Only = only
			if r := run(t, c).result(t, "storm"); r.Verdict != Pass {
				t.Errorf("%s: %s", r.Verdict, r.Summary)
			}
		})
	}
}
