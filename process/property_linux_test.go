package process

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/internal/testset"
)

// A groupPlan is one case: families of processes in a group, and what happens to them.
type groupPlan struct {
	Grace, HardStop time.Duration
	Families        []familyPlan
	Acts            []actPlan
	Stop            time.Duration // when the first signal comes
	Again           time.Duration // after it, the second; 0: never
}

// familyPlan is a worker: a main process and its descendants.
type familyPlan struct {
	Name            string
	After, Requires []string
	Restart         string // "", "on failure" or "always"
	Optional        bool
	Kill            Mode
	Steps           []Step
	Grace           time.Duration
	Prepared        bool // it goes by way of the trampoline
	Copied          bool // its output is
	Ready           string
	Nodes           []nodePlan // the first is the main process
}

// nodePlan is one member, see the command in internal/member.
type nodePlan struct {
	ID, Parent int
	How        string
	Bare, Mute bool
	Told       string
	Takes      int // ms
	Code       int
	End        string
	After      int // ms
	Sig        syscall.Signal
	Main       bool
	Extend     bool
}

// actPlan is something that happens to one family.
type actPlan struct {
	At     time.Duration
	What   string // kill, halt, go on: a member; stop, start, restart, replace, remove: the worker
	Family int
	Pick   int // the how manieth of the members that are alive
}

// String is the node as the member takes it.
func (n nodePlan) String() string {
	text := fmt.Sprintf("id=%d parent=%d told=%s", n.ID, n.Parent, n.Told)
	add := func(is bool, format string, args ...any) {
		if is {
			text += " " + fmt.Sprintf(format, args...)
		}
	}
	add(n.How != "", "how=%s", n.How)
	add(n.Bare, "bare=1")
	add(n.Mute, "mute=1")
	add(n.Takes > 0, "takes=%d", n.Takes)
	add(n.Code != 0, "code=%d", n.Code)
	add(n.End != "", "end=%s after=%d", n.End, n.After)
	add(n.Sig != 0, "sig=%d", int(n.Sig))
	add(n.Main, "main=1")
	add(n.Extend, "extend=1")
	return text
}

// String is for people.
func (p *groupPlan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "group: grace %v, hard stop %v\n", p.Grace, p.HardStop)
	for i, f := range p.Families {
		fmt.Fprintf(&b, "%d %s: after %v, requires %v, restart %q, optional %t, kill %v, steps %v, grace %v, prepared %t, copied %t, ready %q\n",
			i, f.Name, f.After, f.Requires, f.Restart, f.Optional, f.Kill, f.Steps, f.Grace, f.Prepared, f.Copied, f.Ready)
		for _, n := range f.Nodes {
			fmt.Fprintf(&b, "    %v\n", n)
		}
	}
	for _, a := range p.Acts {
		fmt.Fprintf(&b, "at %v: %s %d (member %d)\n", a.At, a.What, a.Family, a.Pick)
	}
	fmt.Fprintf(&b, "at %v: stop", p.Stop)
	if p.Again > 0 {
		fmt.Fprintf(&b, ", again %v later", p.Again)
	}
	b.WriteString("\n")
	return b.String()
}

// longGrace is a grace period of which each share is enough to be told on a busy machine, and less than trampolineWithin: who is
// halted in its second life is then cut.
const longGrace = 8 * time.Second

func drawGroup(t *rapid.T) *groupPlan {
	p := &groupPlan{
		Grace:    rapid.SampledFrom([]time.Duration{200 * time.Millisecond, 500 * time.Millisecond, longGrace, longGrace}).Draw(t, "grace"),
		HardStop: 20 * time.Second, // nobody needs it: who is abandoned hangs
		Stop:     time.Duration(rapid.IntRange(0, 250).Draw(t, "stop")) * time.Millisecond,
	}
	if rapid.IntRange(0, 5).Draw(t, "again") == 0 {
		p.Again = time.Duration(rapid.IntRange(101, 250).Draw(t, "again after")) * time.Millisecond
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "families") {
		f := drawFamily(t, p, i)
		p.Families = append(p.Families, f)
	}
	at := 0
	for range rapid.IntRange(0, 5).Draw(t, "acts") {
		at += rapid.IntRange(0, 80).Draw(t, "at")
		p.Acts = append(p.Acts, actPlan{
			At:     time.Duration(at) * time.Millisecond,
			What:   rapid.SampledFrom([]string{"kill", "kill", "kill", "halt", "go on", "stop", "start", "restart", "replace", "remove"}).Draw(t, "what"),
			Family: rapid.IntRange(0, len(p.Families)-1).Draw(t, "family"),
			Pick:   rapid.IntRange(0, 9).Draw(t, "pick"),
		})
	}
	return p
}

func drawFamily(t *rapid.T, p *groupPlan, i int) familyPlan {
	oneIn := func(n int, label string) bool { return rapid.IntRange(0, n-1).Draw(t, label) == 0 }
	f := familyPlan{
		Name:     string(rune('a' + i)),
		Restart:  rapid.SampledFrom([]string{"", "", "on failure", "always"}).Draw(t, "restart"),
		Optional: !oneIn(4, "essential"),
		Kill:     rapid.SampledFrom([]Mode{0, 0, 0, 0, KillGroup, KillProcess}).Draw(t, "kill"),
		Grace:    rapid.SampledFrom([]time.Duration{0, 0, 300 * time.Millisecond, 2 * longGrace}).Draw(t, "grace"),
		Prepared: oneIn(8, "prepared"),
		Copied:   oneIn(3, "copied"),
		Ready:    rapid.SampledFrom([]string{"", "", "notify", "fd", "log", "delay"}).Draw(t, "ready"),
	}
	if oneIn(4, "steps") {
		f.Steps = []Step{{syscall.SIGINT, 50 * time.Millisecond}, {Signal: syscall.SIGTERM}}
	}
	for dep := range i {
		switch rapid.IntRange(0, 3).Draw(t, "dependency") {
		case 2:
			f.After = append(f.After, p.Families[dep].Name)
		case 3:
			f.Requires = append(f.Requires, p.Families[dep].Name)
		}
	}
	// Whoever has to be killed makes a stop last as long as it may: seldom where that is long.
	deaf := []string{"ignores", "notes"}
	if p.Grace >= longGrace && !oneIn(12, "deaf") {
		deaf = nil
	}
	for id := range rapid.IntRange(1, 6).Draw(t, "members") {
		n := nodePlan{
			ID:    id,
			How:   rapid.SampledFrom([]string{"plain", "plain", "pgid", "sid", "daemon"}).Draw(t, "how"),
			Told:  rapid.SampledFrom(append(deaf, "dies", "exits", "exits", "spawns")).Draw(t, "told"),
			Takes: rapid.SampledFrom([]int{0, 0, 5, 40}).Draw(t, "takes"),
			Code:  rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "code"),
			End:   rapid.SampledFrom([]string{"", "", "", "exit", "die", "halt"}).Draw(t, "end"),
			After: rapid.SampledFrom([]int{0, 10, 60, 120}).Draw(t, "after"),
			Mute:  oneIn(4, "mute"),
		}
		if n.End == "die" {
			n.Sig = rapid.SampledFrom([]syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSEGV, syscall.SIGHUP}).Draw(t, "sig")
		}
		if id == 0 {
			n.Parent, n.How, n.Mute = -1, "", false
			n.Extend = oneIn(8, "extend")
		} else {
			n.Parent = rapid.IntRange(0, id-1).Draw(t, "parent")
			n.Bare = f.Nodes[n.Parent].Bare || oneIn(8, "bare")
			n.Main = !n.Bare && f.Nodes[n.Parent].Told != "spawns" && oneIn(10, "main")
		}
		f.Nodes = append(f.Nodes, n)
	}
	return f
}

// TestFamiliesAtRandom runs random families of real processes through random lives, many at a time: each ends with no orphan,
// no zombie and no lost status, see (*trial).check. What the kernel does at which moment is never the same twice; the plan
// of a case is, and a failure prints how to run it again.
func TestFamiliesAtRandom(t *testing.T) {
	cases(t, testset.Of(t, 40, 200), func(member string, seed int) []string {
		return newTrial(t, member, rapid.Custom(drawGroup).Example(seed)).run()
	})
}
