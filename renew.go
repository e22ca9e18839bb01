package lastcall

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/lastcall-go/lastcall/internal/engine"
)

// renewable reports whether the group may run again: it has ended, and the group around it restarts it, or was itself
// restarted and starts it as the same worker.
func (r *run) renewable(parent *attempt) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.endedAt == 0 || parent == nil || r.parent == nil || parent == r.parent {
		return false
	}
	return parent.m.run.group == r.parent.m.run.group && parent.m.name == r.parent.m.name
}

// rejected is what could not be done. The group may be locked.
func (r *run) rejected() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.problems)
}

// specs are the group's workers as they were added, for its next run.
func (r *run) specs() (specs []spec) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pools := slices.SortedFunc(maps.Values(r.pools), func(a, b *pool) int { return cmp.Compare(a.order, b.order) })
	takePools := func(before int32) {
		for len(pools) > 0 && pools[0].order < before {
			specs = append(specs, r.again(pools[0]))
			pools = pools[1:]
		}
	}
	for _, m := range r.inOrder() {
		if m.opt.pool != nil {
			continue
		}
		takePools(m.order)
		if m.extra != nil && m.extra.replaces != nil || r.engine.Wanted(m.id) == engine.Gone {
			continue
		}
		specs = append(specs, spec{name: m.name, w: m.w, opt: m.opt})
	}
	takePools(math.MaxInt32)
	return specs
}
