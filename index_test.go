package lastcall

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// An index does what a map does, whatever is put and dropped.
func TestIndex(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var list []string // by place; a name may stand there several times
		x := newIndex(r.IntN(20), func(at int) string { return list[at] })
		is := map[string]int{}
		for step := range 300 {
			name := fmt.Sprint("worker-", r.IntN(1+int(seed)))
			if r.IntN(3) > 0 {
				list = append(list, name)
				x.put(name, len(list)-1)
				is[name] = len(list) - 1
			} else {
				x.drop(name)
				delete(is, name)
			}
			if x.names != len(is) {
				t.Fatalf("seed %d, step %d: %d names, and should be %d", seed, step, x.names, len(is))
			}
			for _, name := range append(list, "another") {
				at, ok := x.get(name)
				if want, has := is[name]; ok != has || ok && at != want {
					t.Fatalf("seed %d, step %d: %q is at %d, %v, and should be at %d, %v", seed, step, name, at, ok, want, has)
				}
			}
		}
	}
}
