//go:build unix

package check

import (
	"testing"
	"time"
)

// What is seen at each look, ten milliseconds apart: a letter of the daemon's, for a number of looks.
func TestQuietness(t *testing.T) {
	// s: it sleeps; r: it runs; w: it wants to run and may not; t: it has one more thread each time; c: it sleeps, and has used a bit.
	type span struct {
		what  byte
		looks int
	}
	for name, test := range map[string]struct {
		long  time.Duration
		spans []span
		want  string
		at    time.Duration
	}{
		"from the start":            {quietFirst, []span{{'s', 1000}}, "it was quiet for 1s", 1010 * time.Millisecond},
		"in a later life":           {quietFor, []span{{'s', 1000}}, "it was quiet for 300ms", 310 * time.Millisecond},
		"once it has started":       {quietFirst, []span{{'r', 50}, {'s', 1000}}, "it was quiet for 1s", 1500 * time.Millisecond},
		"its threads come":          {quietFirst, []span{{'t', 20}, {'s', 1000}}, "it was quiet for 1s", 1200 * time.Millisecond},
		"it looks at its watch":     {quietFirst, []span{{'c', 1000}}, "it was quiet for 1s", 1010 * time.Millisecond},
		"never":                     {quietFirst, []span{{'r', 1000}}, "it ran for 3s", 3 * time.Second},
		"never, and starved":        {quietFirst, []span{{'w', 1000}}, "it ran for 9s", 9 * time.Second},
		"late, past when it counts": {quietFirst, []span{{'r', 250}, {'s', 1000}}, "it was quiet for 1s", 3500 * time.Millisecond},
		"almost, past that":         {quietFirst, []span{{'r', 250}, {'s', 80}, {'r', 1000}}, "it ran for 3s", 3310 * time.Millisecond},
		"starved, then quiet":       {quietFirst, []span{{'w', 500}, {'s', 1000}}, "it was quiet for 1s", 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			q := quietness{long: test.long}
			at, cpu, threads := time.Duration(0), time.Duration(0), 1
			for _, span := range test.spans {
				for range span.looks {
					at += 10 * time.Millisecond
					state := byte('S')
					switch span.what {
					case 'r':
						state = 'R'
						cpu += 10 * time.Millisecond
					case 'w':
						state = 'R'
						cpu += time.Millisecond
					case 't':
						threads++
					case 'c':
						cpu += 20 * time.Microsecond
					}
					seen := make([]thread, threads)
					for i := range seen {
						seen[i] = thread{TID: 1 + i, State: state}
					}
					seen[0].CPU = cpu
					if how := q.saw(at, seen); how != "" {
						if how != test.want || at != test.at {
							t.Errorf("%s at %v, want %s at %v", how, at, test.want, test.at)
						}
						return
					}
				}
			}
			t.Errorf("not ready in %v, want %s at %v", at, test.want, test.at)
		})
	}
	t.Run("who may not look", func(t *testing.T) {
		q := quietness{long: quietFor}
		for i := range quietLooks {
			if how := q.saw(time.Duration(i+1)*400*time.Millisecond, []thread{{TID: 1, State: 'S'}}); how != "" {
				t.Errorf("%s after %d looks", how, i+1)
			}
		}
		if how := q.saw(2400*time.Millisecond, []thread{{TID: 1, State: 'S'}}); how != "it was quiet for 300ms" {
			t.Errorf("%q after enough looks", how)
		}
	})
}
