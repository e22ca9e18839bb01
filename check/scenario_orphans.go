//go:build unix

package check

import (
	"fmt"
	"slices"

	"github.com/lastcall-go/lastcall/internal/text"
)

var orphansScenario = Scenario{
	Name:  "orphans",
	Means: "nothing of it is left when it has gone",
	Does:  "looks for descendants after the end of every life above",
	Fails: "one is still there",
	Needs: "to see whose descendant a process is",
	play:  playOrphans,
}

// playOrphans says who outlived the daemon in all lives until now.
func playOrphans(r *runner) {
	if !seesProcesses {
		r.skip("this system does not show whose descendant a process is")
		return
	}
	r.fact("lives that were looked at", float64(r.report.Lives), "", "")
	if len(r.left) == 0 {
		r.pass("nothing was left after %d lives", r.report.Lives)
		return
	}
	var scenarios []string
	counts := map[string]int{}
	for _, l := range r.left {
		counts[l.command]++
		if l.scenario != "" && !slices.Contains(scenarios, l.scenario) {
			scenarios = append(scenarios, l.scenario)
		}
	}
	worst := ""
	for command, n := range counts {
		r.fact("left behind", float64(n), "", text.Short(command, 100))
		if n > counts[worst] || n == counts[worst] && command < worst {
			worst = command
		}
	}
	slices.SortFunc(r.result.Evidence[1:], func(a, b Fact) int { return int(b.Value - a.Value) })
	r.fail(codeLeavesProcesses, fmt.Sprintf("left behind: %s", text.Short(worst, 100)),
		"Tell its children to stop and wait for them before it exits, or run it under `lastcall run`, which stops the whole family.")
}
