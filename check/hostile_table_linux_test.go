package check

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/internal/testset"
)

// hostiles are the hostile daemons: each attack at both times with two ends, each end with every form, each form with every flood. The
// first of the list are as different as can be.
func hostiles() (list []hostility) {
	seen := map[hostility]bool{}
	add := func(h hostility) {
		if h.Attack == "nothing" {
			h.AtStop = false
		}
		if !seen[h] {
			seen[h] = true
			list = append(list, h)
		}
	}
	forms, floods, attacks, ends := sortedKeys(hostileForms), sortedKeys(hostileFloods), sortedKeys(hostileAttacks), sortedKeys(hostileEnds)
	for i := range max(len(forms), len(attacks), len(ends)) { // each thing once
		add(hostility{forms[i%len(forms)], floods[i%len(floods)], attacks[i%len(attacks)], ends[i%len(ends)], i%2 == 0})
	}
	for i, attack := range attacks {
		for j, form := range forms {
			if (i+j)%2 == 0 {
				add(hostility{form, floods[(i+j)%len(floods)], attack, ends[(i+2*j)%len(ends)], j%2 == 0})
			}
		}
	}
	for i, end := range ends {
		for j, flood := range floods {
			add(hostility{forms[(i+j)%len(forms)], flood, "nothing", end, false})
		}
	}
	return list
}

const (
	hostileWithin = time.Minute // one check; none takes a third of it on a machine that is not busy
	hostileMemory = 256 << 20   // bytes of the check: far less than what a daemon writes
	hostileSample = 11          // of the list, where not all are played
)

// Whatever a daemon does, its check ends within bounds of time and memory, leaves no process, and says what happened.
func TestHostileDaemons(t *testing.T) {
	all := hostiles()
	if len(all) < 100 {
		t.Fatalf("%d hostile daemons, want 100", len(all))
	}
	for _, h := range all[:testset.Of(t, hostileSample, len(all))] {
		t.Run(strings.ReplaceAll(h.String(), " ", "_"), func(t *testing.T) {
			t.Parallel()
			playHostile(t, h)
		})
	}
}

// canAttack reports whether the system lets this daemon do what it attacks with: another user may not signal the guard, and only root
// may trace it or take its descriptors.
func (h hostility) canAttack() bool {
	if os.Getuid() == 0 {
		return h.Form != "another user"
	}
	return h.Attack != "traces its parent" && h.Attack != "takes the connection"
}

func playHostile(t *testing.T, h hostility) {
	if h.End == "leaves a namespace" {
		if why := noNamespace(); why != "" {
			t.Skipf("no namespace can be made here: %s", why)
		}
	}
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := plan{
		Command: []string{os.Args[0], freePort(t), string(text)}, Env: lifeEnv("hostile"), Only: []string{"term", "orphans"}, Grace: 2 * time.Second,
	}
	switch h.Flood {
	case "notes":
		p.Ready = "1s"
	case "a gigabyte":
		p.Ready = "tcp:" + p.Command[1] // after it
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], p.String(), dir)
	cmd.Env = lifeEnv("nursery")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var r nurseryReport
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(r.Left) > 0 {
		t.Errorf("left: %q", r.Left)
	}
	if r.Took > hostileWithin {
		t.Errorf("it took %v", r.Took)
	}
	if r.Peak == 0 || r.Peak > hostileMemory {
		t.Errorf("it took %d bytes of memory", r.Peak)
	}
	want := hostileAttacks[h.Attack].says
	if want == "" || !h.canAttack() {
		want = hostileEnds[h.End].says
	}
	if !slices.ContainsFunc(strings.Split(want, "|"), func(one string) bool { return strings.Contains(r.Output, one) }) {
		t.Errorf("want %q in %q", want, r.Output)
	}
	t.Logf("%v, %d MB", r.Took.Round(10*time.Millisecond), r.Peak>>20)
}
