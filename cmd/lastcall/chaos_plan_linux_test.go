package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// chaosPlan is one case of TestUpAtRandom: a lastcall.yaml, and what happens to what it runs.
type chaosPlan struct {
	Grace     time.Duration
	Exit      string
	Processes []chaosProcess
	Acts      []chaosAct
	Calm      bool          // nobody ends by itself, nobody's end is that of all, and all acts come first
	End       string        // TERM, INT, twice, KILL, down
	After     time.Duration // of the first life
}

type chaosProcess struct {
	Keys  []string // as they are in the file
	Nodes []string // the members of its family, see process/internal/member; the first is the main process
	Hears bool     // all of them
}

type chaosAct struct {
	At   time.Duration // likewise
	What string        // kill: a member; else an order, or a signal to lastcall itself
	Name string
	Pick int
}

func drawChaos(t *rapid.T) *chaosPlan {
	pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(t, label) }
	p := &chaosPlan{
		Grace: rapid.SampledFrom([]time.Duration{300 * time.Millisecond, 5 * time.Second, 5 * time.Second}).Draw(t, "grace"),
		Exit:  pick("exit", "first", "worst", "essential"),
		End:   pick("end", "TERM", "TERM", "INT", "twice", "KILL", "KILL", "down"),
		After: time.Duration(rapid.SampledFrom([]int{0, 10, 50, 200, 400, 800}).Draw(t, "after")) * time.Millisecond,
	}
	p.Calm = rapid.Bool().Draw(t, "calm")
	for i := range rapid.SampledFrom([]int{1, 2, 3, 3}).Draw(t, "processes") {
		p.Processes = append(p.Processes, drawChaosProcess(t, p, i))
	}
	var names []string
	for i := range p.Processes {
		names = append(names, processName(i))
	}
	at := 0
	for range rapid.SampledFrom([]int{0, 2, 4, 6, 8}).Draw(t, "acts") {
		at += rapid.SampledFrom([]int{0, 5, 20, 100, 200}).Draw(t, "at")
		p.Acts = append(p.Acts, chaosAct{
			At: time.Duration(at) * time.Millisecond,
			What: pick("act", "kill", "kill", "ps", "stop", "start", "restart", "scale", "logs", "report", "HUP", "USR1", "edit", "edit",
				"restart all", "reload", "reload all", "signal", "watch", "stop one", "start one"),
			Name: pick("of", names...),
			Pick: rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}).Draw(t, "pick"),
		})
	}
	return p
}

func processName(i int) string { return string(rune('a' + i)) }

func drawChaosProcess(t *rapid.T, p *chaosPlan, i int) chaosProcess {
	oneIn := func(n int, label string) bool { return rapid.IntRange(0, n-1).Draw(t, label) == 0 }
	c := chaosProcess{Hears: true}
	key := func(format string, args ...any) { c.Keys = append(c.Keys, fmt.Sprintf(format, args...)) }
	ready := rapid.SampledFrom([]string{"", "notify", "fd", "log"}).Draw(t, "ready")
	switch ready {
	case "notify":
		key("ready: notify")
	case "fd":
		key("ready: { fd: 3 }")
	case "log":
		key("ready: { log: ready }")
	}
	if i > 0 {
		dep := processName(rapid.IntRange(0, i-1).Draw(t, "dependency"))
		switch rapid.IntRange(0, 2).Draw(t, "depends") {
		case 1:
			key("after: %s", dep)
		case 2:
			key("requires: %s", dep)
		}
	}
	scheduled := i > 0 && oneIn(6, "schedule")
	if scheduled {
		key("schedule: \"@every 1s\"")
	} else if oneIn(3, "restart") {
		key("restart: %s", rapid.SampledFrom([]string{"on-failure", "always"}).Draw(t, "when"))
	}
	if onExit := rapid.SampledFrom([]string{"fail", "continue", "continue", "essential"}).Draw(t, "on exit"); p.Calm || scheduled {
		key("on_exit: continue")
	} else {
		key("on_exit: %s", onExit)
	}
	if !scheduled && oneIn(3, "instances") {
		key("instances: 2")
	}
	if oneIn(6, "umask") {
		key("umask: 027")
	}
	if ready != "fd" && oneIn(4, "listen") { // one that takes the place of another runs beside it
		key("listen: { s: \"127.0.0.1:0\" }")
	}
	if oneIn(5, "hooks") {
		key("hooks: { before_start: \"true\", after_stop: [\"true\"] }")
	}
	if oneIn(3, "reload") {
		key("reload: { command: [\"true\"] }")
	}
	if oneIn(5, "liveness") {
		key("liveness: { exec: [\"true\"], every: 50ms }")
	}
	told := []string{"dies", "exits", "exits"}
	if p.Grace < time.Second || oneIn(10, "deaf") {
		told = append(told, "ignores")
	}
	for id := range rapid.IntRange(1, 5).Draw(t, "members") {
		how := rapid.SampledFrom(told).Draw(t, "told")
		code := rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "code")
		end := rapid.SampledFrom([]string{"", "", "", "", "exit", "halt"}).Draw(t, "end")
		text := fmt.Sprintf("id=%d told=%s code=%d", id, how, code)
		if end != "" && !p.Calm {
			text += fmt.Sprintf(" end=%s after=%d", end, rapid.SampledFrom([]int{0, 50, 150}).Draw(t, "ends after"))
		}
		if id == 0 {
			text += " parent=-1 ready=" + ready
		} else {
			text += fmt.Sprintf(" parent=%d how=%s", rapid.IntRange(0, id-1).Draw(t, "parent"), rapid.SampledFrom([]string{"plain", "pgid", "sid", "daemon"}).Draw(t, "how"))
		}
		c.Hears = c.Hears && how != "ignores"
		c.Nodes = append(c.Nodes, text)
	}
	return c
}

// String is the file, and what happens.
func (p *chaosPlan) String() string {
	return p.file("member", "LOG", 0, 0) + fmt.Sprintf("# %+v\n# %s after %v\n", p.Acts, p.End, p.After)
}

// file is the lastcall.yaml, in which the nth edit has changed some of the processes, and may have left out the last.
func (p *chaosPlan) file(member, log string, n, changed int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "name: chaos\ngrace: %v\nexit: %s\nlog: { times: none }\nprocesses:\n", p.Grace, p.Exit)
	for i, c := range p.Processes {
		if changed&8 != 0 && i > 0 && i == len(p.Processes)-1 {
			break
		}
		fmt.Fprintf(&b, "  %s:\n    command: [%q, %q, %q, %q, %q", processName(i), member, log, strconv.Itoa(i), "0", "0")
		for _, n := range c.Nodes {
			fmt.Fprintf(&b, ", %q", n)
		}
		b.WriteString("]\n")
		for _, k := range c.Keys {
			fmt.Fprintf(&b, "    %s\n", k)
		}
		if changed&(1<<i) != 0 {
			fmt.Fprintf(&b, "    env: { EDIT: %d }\n", n)
		}
	}
	return b.String()
}
