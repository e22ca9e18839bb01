package lastcall

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/lastcall-go/lastcall/internal/engine"
)

// config is what the engine knows of the group.
func (r *run) config() engine.Config {
	cfg := engine.Config{
		Grace:    r.group.Grace,
		HardStop: r.group.HardStop,
		LameDuck: r.group.LameDuck,
		Random:   rand.Int64N,
		Remind:   r.parent == nil && r.observed(),
	}
	if cfg.DefaultGrace = DefaultGrace; r.parent == nil {
		orDefault(&cfg.Grace, DefaultGrace)
	}
	orDefault(&cfg.HardStop, DefaultHardStop)
	return cfg
}

// addAll adds checked specs to the engine, each after what it depends on.
func (r *run) addAll(specs []spec) {
	var places index
	place := func(name string) int {
		if places.names == 0 {
			places = newIndex(len(specs), func(at int) string { return specs[at].name })
			for i, s := range specs {
				places.put(s.name, i)
			}
		}
		at, _ := places.get(name)
		return at
	}
	r.engine.Grow(len(specs))
	slab := make([]member, len(specs))
	r.members = make([]*member, 0, len(specs))
	added := make([]bool, len(specs))
	var add func(i int)
	add = func(i int) {
		if added[i] {
			return
		}
		added[i] = true
		s := specs[i]
		for _, dep := range s.opt.after {
			add(place(dep))
		}
		if s.opt.pool != nil {
			r.addPoolLocked(s, int32(i))
			return
		}
		r.addLocked(s, &slab[i], int32(i))
	}
	for i := range specs {
		add(i)
	}
	r.orders = int32(len(specs))
}

// newMember makes a worker of the run, for the engine to add.
func (r *run) newMember(name string, w Worker, opt *options, order int32) *member {
	m := new(member)
	r.initMember(m, name, w, opt, order)
	return m
}

func (r *run) initMember(m *member, name string, w Worker, opt *options, order int32) {
	*m = member{name: name, w: w, run: r, opt: opt, order: order, id: forgotten}
	m.first.m = m
}

// addLocked adds a checked worker to the engine.
func (r *run) addLocked(s spec, m *member, order int32) {
	r.initMember(m, s.name, s.w, s.opt, order)
	r.adding = m
	r.stepLocked(engine.Add{Spec: r.specOf(s.opt), Replicas: 1})
}

// specOf says the options in the engine's words.
func (r *run) specOf(o *options) engine.Spec {
	s := engine.Spec{AwaitReady: o.selfReady, ReadyWithin: o.within, StopWithin: o.stopWithin, Essential: o.essential, Optional: o.optional, Restart: o.restart.inEngine()}
	for _, name := range o.after {
		dep, _ := r.placeOf(name)
		switch requires := slices.Contains(o.requires, name); {
		case requires && !slices.Contains(s.Requires, dep):
			s.Requires = append(s.Requires, dep)
		case !requires && !slices.Contains(s.After, dep):
			s.After = append(s.After, dep)
		}
	}
	return s
}

// placeOf is the member with this name.
func (r *run) placeOf(name string) (place engine.MemberID, known bool) {
	if p := r.pools[name]; p != nil {
		return p.place, true
	}
	if m := r.memberOf(name); m != nil && m.opt.pool == nil {
		return m.place, true
	}
	return 0, false
}

// add puts a worker into a running group.
func (r *run) add(s spec) {
	r.lock()
	defer r.unlock()
	if r.phase >= engine.GroupStopping {
		when := "while its group was stopping"
		if r.phase == engine.GroupOver {
			when = "after the end of its group"
		}
		r.reject(s.name, fmt.Errorf("worker %q was added %s: %w", r.prefix+s.name, when, ErrStopping))
		return
	}
	problems := r.placeProblems(s)
	for _, name := range s.names() {
		if r.memberOf(name) != nil || r.pools[name] != nil {
			problems = append(problems, fmt.Sprintf("worker %q was added twice", r.prefix+name))
			break
		}
	}
	if len(problems) > 0 {
		err := &ConfigError{Problems: problems}
		r.errs = append(r.errs, err)
		r.reject(s.name, err)
		return
	}
	r.orders++
	if s.opt.pool != nil {
		r.addPoolLocked(s, r.orders)
		return
	}
	r.addLocked(s, new(member), r.orders)
}

// placeProblems is what is wrong with a worker that is to be put into the running group.
func (r *run) placeProblems(s spec) []string {
	problems := append(s.problems(r.prefix), s.nestedProblems([]*Group{r.group}, r.prefix)...)
	for _, dep := range s.opt.after {
		switch at, known := r.placeOf(dep); {
		case !known:
			problems = append(problems, fmt.Sprintf("worker %q is to start after %q, which is not in the group", r.prefix+s.name, dep))
		case r.engine.Removing(at):
			problems = append(problems, fmt.Sprintf("worker %q is to start after %q, which is being removed", r.prefix+s.name, dep))
		}
	}
	return problems
}

// cycleProblems names what s is to start after and what itself starts after at, whose place s is to have.
func (r *run) cycleProblems(s spec, at engine.MemberID, whom string) (problems []string) {
	for _, name := range s.opt.after {
		if dep, known := r.placeOf(name); known && (dep == at || r.engine.DependsOn(dep, at)) {
			problems = append(problems, fmt.Sprintf("worker %q cannot start after %q, which depends on %s", r.prefix+s.name, r.prefix+name, whom))
		}
	}
	return problems
}

// reject records what could not be done and tells the listeners, or the log if there are none.
func (r *run) reject(name string, err error) {
	r.problems = append(r.problems, err.Error())
	if !r.observed() {
		r.later(func() { logError(err.Error()) })
	}
	r.emit(Event{Name: r.prefix + name, Kind: EventRejected, Err: err})
}
