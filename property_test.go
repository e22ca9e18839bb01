package lastcall_test

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall"
)

// propertyCases is how many random plans TestProperty tries; -rapid.checks says otherwise.
const propertyCases = 6000

// propertySeed makes them the same plans each time, so that a change is judged by itself; -rapid.seed=0 tries others.
const propertySeed = 20120109

// TestProperty carries out random plans in virtual time and holds what was seen against what the package promises. Each
// case is one synctest bubble inside rapid's property, with nothing drawn in it: rapid shrinks the plan, and what is wrong
// is told after the bubble has ended.
func TestProperty(t *testing.T) {
	setDefault(t, "rapid.checks", fmt.Sprint(propertyCases))
	setDefault(t, "rapid.seed", fmt.Sprint(propertySeed))
	setDefault(t, "rapid.nofailfile", "true")
	logger := slog.Default() // where nobody listens, panics are logged
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { slog.SetDefault(logger) })
	times := 1
	check := func() {
		rapid.Check(t, func(rt *rapid.T) {
			p := rapid.Custom(drawPlan).Draw(rt, "plan")
			for range times {
				if wrong := try(t, p); len(wrong) > 0 {
					times = 20 // what happens at one instant happens in any order: a shrunk case may need a few attempts
					rt.Fatalf("%s", strings.Join(wrong, "\n"))
				}
			}
		})
	}
	if *randomFor == 0 {
		check()
		return
	}
	const round = 500
	setDefault(t, "rapid.checks", fmt.Sprint(round))
	setDefault(t, "rapid.seed", "0") // random ones
	rounds := 0
	for until := time.Now().Add(*randomFor); time.Now().Before(until); rounds++ {
		check()
	}
	t.Logf("%d plans", rounds*round)
}

// setDefault sets a flag for the time of a test, unless the command line did.
func setDefault(t *testing.T, name, value string) {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if f := flag.Lookup(name); !given && f != nil {
		old := f.Value.String()
		_ = f.Value.Set(value) // not flag.Set, after which the flag would count as given
		t.Cleanup(func() { _ = f.Value.Set(old) })
	}
}

// try carries out one plan and returns what was wrong.
func try(t *testing.T, p *plan) []string {
	// A case that spins would never end, and rapid would not print it.
	watchdog := time.AfterFunc(30*time.Second, func() {
		fmt.Fprintf(os.Stderr, "TestProperty: this case does not end:\n%#v", p)
		panic("TestProperty: a case does not end")
	})
	defer watchdog.Stop()
	c := newTrial(p)
	if blocked := bubbled(t, c.run); blocked != "" {
		return []string{blocked}
	}
	c.check()
	return c.wrong
}

// bubbled runs f in a bubble of its own. If something in it never ends, it says what.
func bubbled(t *testing.T, f func()) (blocked string) {
	defer func() {
		if v := recover(); v != nil {
			blocked = fmt.Sprint(v)
			stacks := make([]byte, 1<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			for _, g := range strings.Split(string(stacks), "\n\n") {
				if header, _, _ := strings.Cut(g, "\n"); strings.Contains(header, "synctest bubble") {
					blocked += "\n" + g
				}
			}
		}
	}()
	synctest.Test(t, func(*testing.T) { f() })
	return ""
}

// Times are few and round, so that things happen at the same instant, or have an odd millisecond, so that they do not.
var (
	shortTimes = rapid.SampledFrom([]time.Duration{0, time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 137 * time.Millisecond, 500 * time.Millisecond, time.Second, 1733 * time.Millisecond})
	longTimes  = rapid.SampledFrom([]time.Duration{100 * time.Millisecond, time.Second, 2 * time.Second, 3137 * time.Millisecond, 5 * time.Second, 10 * time.Second, 20 * time.Second, time.Minute, time.Hour})
	stopTimes  = rapid.SampledFrom([]time.Duration{0, time.Millisecond, 100 * time.Millisecond, 101 * time.Millisecond, 500 * time.Millisecond, time.Second, 1500 * time.Millisecond, 2 * time.Second, 5 * time.Second, 10*time.Second + 7*time.Millisecond, 30 * time.Second})
	graces     = rapid.SampledFrom([]time.Duration{0, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second})
	hardStops  = rapid.SampledFrom([]time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second})
)

// oneIn is true once in n times, and false when shrunk.
func oneIn(t *rapid.T, n int, label string) bool {
	return rapid.IntRange(0, n-1).Draw(t, label) == n-1
}

func drawPlan(t *rapid.T) *plan {
	p := &plan{
		Root:    drawGroup(t, 0),
		Cancel:  stopTimes.Draw(t, "cancel"),
		Probe:   stopTimes.Draw(t, "probe"),
		Observe: !oneIn(t, 3, "unobserved"),
		Labels:  oneIn(t, 20, "labels"),
	}
	if oneIn(t, 6, "lame duck") {
		p.Root.LameDuck = min(hardStops.Draw(t, "lame duck"), orElse(p.Root.Grace, lastcall.DefaultGrace)/2)
	}
	if oneIn(t, 3, "adds") {
		groups := map[string]*groupPlan{}
		p.Root.walk("", func(path string, g *groupPlan) { groups[path] = g })
		paths := make([]string, 0, len(groups))
		for path := range groups {
			paths = append(paths, path)
		}
		slices.Sort(paths)
		for i := range rapid.IntRange(1, 3).Draw(t, "adds") {
			path := rapid.SampledFrom(paths).Draw(t, "group")
			var names []string
			for _, w := range groups[path].Workers {
				names = append(names, w.Name)
			}
			a := addPlan{At: time.Millisecond + stopTimes.Draw(t, "at"), Group: path, Worker: drawWorker(t, fmt.Sprintf("n%d", i), names, 3)}
			if len(names) > 0 && oneIn(t, 3, "twice") {
				a.Worker.Name = names[0]
			}
			p.Adds = append(p.Adds, a)
		}
	}
	if oneIn(t, 2, "signals") {
		at := time.Duration(0)
		for range rapid.IntRange(1, 4).Draw(t, "signals") {
			at += stopTimes.Draw(t, "signal after")
			p.Signals = append(p.Signals, signalPlan{At: at, Int: oneIn(t, 2, "interrupt")})
		}
		if oneIn(t, 2, "cancel late") {
			p.Cancel = time.Minute
		}
	}
	return p
}

// walk visits the groups of a plan, each before those in it.
func (g *groupPlan) walk(path string, visit func(path string, g *groupPlan)) {
	visit(path, g)
	for _, w := range g.Workers {
		if w.Group != nil {
			w.Group.walk(join(path, w.Name), visit)
		}
	}
}

func drawGroup(t *rapid.T, depth int) *groupPlan {
	g := &groupPlan{Grace: graces.Draw(t, "grace"), HardStop: hardStops.Draw(t, "hard stop"), Reversed: oneIn(t, 3, "reversed")}
	most := []int{6, 3, 2}[depth]
	var names []string
	for i := range rapid.IntRange(0, most).Draw(t, "workers") {
		name := string(rune('a' + i))
		g.Workers = append(g.Workers, drawWorker(t, name, names, depth))
		names = append(names, name)
	}
	return g
}

// drawWorker draws a worker that may depend on the named ones.
func drawWorker(t *rapid.T, name string, others []string, depth int) *workerPlan {
	w := &workerPlan{Name: name}
	for _, other := range others {
		switch rapid.IntRange(0, 5).Draw(t, "dependency") {
		case 3, 4:
			w.After = append(w.After, other)
		case 5:
			w.Requires = append(w.Requires, other)
		}
	}
	w.Essential = oneIn(t, 10, "essential")
	if oneIn(t, 8, "limit") {
		w.StopWithin = hardStops.Draw(t, "stop within")
	}
	if oneIn(t, 3, "restart") {
		w.Restart = &lastcall.RestartPolicy{
			Always:   rapid.Bool().Draw(t, "always"),
			MinDelay: rapid.SampledFrom([]time.Duration{0, 100 * time.Millisecond, time.Second}).Draw(t, "min delay"),
			MaxDelay: rapid.SampledFrom([]time.Duration{0, time.Second, 2 * time.Second}).Draw(t, "max delay"),
			Stable:   rapid.SampledFrom([]time.Duration{0, 500 * time.Millisecond, 2 * time.Second}).Draw(t, "stable"),
			Limit:    rapid.SampledFrom([]int{0, 1, 2, 5}).Draw(t, "restarts"),
			Within:   rapid.SampledFrom([]time.Duration{0, time.Second, 5 * time.Second}).Draw(t, "within"),
		}
	}
	if depth < 2 && oneIn(t, 6, "group") {
		w.Group = drawGroup(t, depth+1)
		return w
	}
	if oneIn(t, 3, "await ready") {
		w.AwaitReady = true
		w.Within = rapid.SampledFrom([]time.Duration{0, 100 * time.Millisecond, time.Second, 5 * time.Second}).Draw(t, "within")
	}
	for range rapid.IntRange(1, 2).Draw(t, "lives") {
		w.Lives = append(w.Lives, drawLife(t, w))
	}
	return w
}

func drawLife(t *rapid.T, w *workerPlan) life {
	var l life
	if w.AwaitReady {
		l.Ready = shortTimes.Draw(t, "ready")
		if oneIn(t, 8, "never ready") {
			l.Ready = -1
		}
	}
	if oneIn(t, 10, "unready") {
		l.Unready = shortTimes.Draw(t, "unready")
	}
	if oneIn(t, 3, "units") {
		for range rapid.IntRange(1, 3).Draw(t, "units") {
			l.Units = append(l.Units, drawUnit(t))
		}
	}
	l.Child = oneIn(t, 10, "child")
	l.Leaves = oneIn(t, 30, "leaves")
	if oneIn(t, 3, "ends") {
		l.End = ending(rapid.IntRange(1, int(failsForGood)).Draw(t, "end"))
		l.After = rapid.OneOf(shortTimes, longTimes).Draw(t, "after")
	} else if oneIn(t, 6, "each") {
		u := drawUnit(t)
		l.Each = &u
	}
	l.Told = leaving(rapid.IntRange(0, int(isStuck)).Draw(t, "told"))
	if l.Told == drains || l.Told == isStuck {
		l.Takes = rapid.OneOf(shortTimes, longTimes).Draw(t, "takes")
	}
	return l
}

func drawUnit(t *rapid.T) unitPlan {
	return unitPlan{
		At:       shortTimes.Draw(t, "at"),
		Lasts:    rapid.OneOf(shortTimes, longTimes).Draw(t, "lasts"),
		Stubborn: oneIn(t, 6, "stubborn"),
		Fails:    oneIn(t, 10, "fails"),
		Tracked:  oneIn(t, 6, "tracked"),
	}
}
