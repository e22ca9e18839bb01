package engine

import (
	"slices"
	"time"
)

// A Spec is how a replica lives.
type Spec struct {
	After       []MemberID // it starts when these are ready, and stops before them
	Requires    []MemberID // the same, and it restarts with them
	AwaitReady  bool       // it says by itself when it is ready
	ReadyWithin time.Duration
	StopWithin  time.Duration // its own limit, from its soft stop to its hard stop; 0 means none
	Restart     Policy
	Essential   bool // its end, however it ends, stops the group
	Optional    bool // its failure is its own
}

// plain reports whether the spec is that of a worker without options, which needs no version of its own.
func (s *Spec) plain() bool {
	return len(s.After) == 0 && len(s.Requires) == 0 && s.ReadyWithin == 0 && s.StopWithin == 0 &&
		s.Restart == Policy{} && !s.Essential && !s.Optional
}

// A version is a Spec in the graph. The replicas of a member share one, except while the member is being replaced.
type version struct {
	Spec
	member   MemberID
	deps     []MemberID // After and Requires, each once
	replicas int        // that have this version
	unmet    int        // deps that are not satisfied
	unmetReq int        // of these, the required ones
	dead     int        // deps that failed before they were ready, and do not start by themselves
}

// same reports whether two specs say the same.
func (s *Spec) same(other *Spec) bool {
	return slices.Equal(s.After, other.After) && slices.Equal(s.Requires, other.Requires) && s.AwaitReady == other.AwaitReady &&
		s.ReadyWithin == other.ReadyWithin && s.StopWithin == other.StopWithin && s.Restart == other.Restart &&
		s.Essential == other.Essential && s.Optional == other.Optional
}

// plainVersion is that of workers without options. Nothing in it is ever changed.
var plainVersion = new(version)

func (v *version) requires(id MemberID) bool { return slices.Contains(v.Requires, id) }

// newVersion links a spec to what it depends on.
func (e *Engine) newVersion(id MemberID, spec Spec) *version {
	if spec.plain() {
		return plainVersion
	}
	if at := e.first(id); at != none { // one that was replaced last may have the same
		if v := e.replicas[at].version(); v.member == id && v != plainVersion && v.same(&spec) {
			return v
		}
	}
	v := &version{Spec: spec, member: id}
	v.deps = slices.Concat(spec.After, spec.Requires)
	slices.Sort(v.deps)
	v.deps = slices.Compact(v.deps)
	e.linked = e.linked || len(v.deps) > 0
	for _, dep := range v.deps {
		l := e.link(dep)
		l.users = append(l.users, v)
		if !l.isSatisfied() {
			v.unmet++
			if v.requires(dep) {
				v.unmetReq++
			}
		}
		if l.dead > 0 {
			v.dead++
		}
	}
	return v
}

// hold counts the replicas of a version; the shared one needs no count.
func (v *version) hold(d int) {
	if v != plainVersion {
		v.replicas += d
	}
}

// unlink takes a version that has no replicas out of the graph.
func (e *Engine) unlink(v *version) {
	if len(v.deps) > 0 {
		e.depths = nil
	}
	for _, dep := range v.deps {
		if l := e.linksOf(dep); l != nil {
			l.users = slices.DeleteFunc(l.users, func(user *version) bool { return user == v })
		}
	}
}
