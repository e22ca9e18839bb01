package engine

import (
	"slices"
	"time"
)

// temper is how an attempt behaves.
type temper struct {
	ready  time.Duration // after its start; negative means never
	ends   time.Duration // by itself; negative means never
	soft   time.Duration // from its soft stop to its end; negative means never
	hard   time.Duration // from its hard stop
	failed bool
}

// anyMember is one of those that are there.
func (w *world) anyMember() (MemberID, bool) {
	var list []MemberID
	for id, m := range w.members {
		if !m.removing {
			list = append(list, id)
		}
	}
	if len(list) == 0 {
		return 0, false
	}
	slices.Sort(list)
	return list[w.rand.IntN(len(list))], true
}

// without is the spec without some of its dependencies.
func (s Spec) without(which func(MemberID) bool) Spec {
	s.After = slices.DeleteFunc(slices.Clone(s.After), which)
	s.Requires = slices.DeleteFunc(slices.Clone(s.Requires), which)
	return s
}

// anySpec may depend on members for which may is true.
func (w *world) anySpec(may func(MemberID) bool) (s Spec) {
	for range w.rand.IntN(3) {
		if dep, ok := w.anyMember(); ok && may(dep) && !slices.Contains(s.After, dep) && !slices.Contains(s.Requires, dep) {
			if w.chance(40) {
				s.Requires = append(s.Requires, dep)
			} else {
				s.After = append(s.After, dep)
			}
		}
	}
	s.AwaitReady = w.chance(50)
	if s.AwaitReady && w.chance(40) {
		s.ReadyWithin = w.pick(5*time.Millisecond, 500*time.Millisecond)
	}
	if w.chance(15) {
		s.StopWithin = w.pick(time.Millisecond, 300*time.Millisecond)
	}
	if w.chance(40) {
		s.Restart = Policy{When: When(1 + w.rand.IntN(2)), MinDelay: 10 * time.Millisecond, MaxDelay: time.Second, Stable: time.Minute, Limit: 1 + w.rand.IntN(4), Within: time.Minute, AtOnce: w.chance(30)}
	}
	s.Essential, s.Optional = w.chance(5), w.chance(40)
	return s
}

func (w *world) addMember() {
	spec := w.anySpec(func(MemberID) bool { return true })
	n := 1
	if w.chance(30) {
		n = w.rand.IntN(4)
	}
	before := len(w.members)
	id := w.nextMember()
	w.members[id] = &shadowMember{spec: spec}
	w.step(Add{Spec: spec, Replicas: n})
	if before == len(w.members) {
		panic("no member was added")
	}
}

func (w *world) anyTemper() temper {
	some := func(percentNever int, list ...time.Duration) time.Duration {
		if w.chance(percentNever) {
			return -1
		}
		d := w.pick(list...)
		return time.Duration(w.rand.Int64N(int64(d) + 1))
	}
	return temper{
		ready:  some(5, 0, time.Millisecond, 100*time.Millisecond, 2*time.Second),
		ends:   some(75, time.Millisecond, time.Second, 10*time.Second),
		soft:   some(8, 0, time.Millisecond, 100*time.Millisecond, 3*time.Second),
		hard:   some(15, 0, 10*time.Millisecond, time.Second),
		failed: w.chance(60),
	}
}
