package timeline

import (
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall"
)

// graph has the dependencies between workers, which are identified by their place in the report.
type graph struct {
	workers    []lastcall.WorkerReport
	at         map[string]int // by path
	dependents [][]int
	members    map[string][]int // by the path of their group
	chain      []int            // the longest, see findChain
	onChain    map[int]bool
}

func newGraph(workers []lastcall.WorkerReport) *graph {
	g := &graph{
		workers: workers, at: make(map[string]int, len(workers)), dependents: make([][]int, len(workers)),
		members: make(map[string][]int), onChain: make(map[int]bool),
	}
	for i, w := range workers {
		g.at[w.Name] = i
		if parent := parentOf(w.Name); parent != "" {
			g.members[parent] = append(g.members[parent], i)
		}
	}
	for i, w := range workers {
		for _, name := range w.After {
			if to, ok := g.at[name]; ok && to != i {
				g.dependents[to] = append(g.dependents[to], i)
			}
		}
	}
	return g
}

// waits are those dependents of i that were waited for during the stop, the last to return first.
func (g *graph) waits(i int) []int {
	var waits []int
	for _, d := range g.dependents[i] {
		if g.stopped(d) {
			waits = append(waits, d)
		}
	}
	slices.SortStableFunc(waits, func(a, b int) int { return g.workers[b].Ended.Compare(g.workers[a].Ended) })
	return waits
}

// stopped reports whether i had its soft stop and has ended.
func (g *graph) stopped(i int) bool {
	return !g.workers[i].SoftStop.IsZero() && !g.workers[i].Ended.IsZero()
}

// toldToStop is the soft stop of the group that name is in, from which on its workers waited; zero outside a group.
func (g *graph) toldToStop(name string) time.Time {
	for parent := parentOf(name); parent != ""; parent = parentOf(parent) {
		if i, ok := g.at[parent]; ok && !g.workers[i].SoftStop.IsZero() {
			return g.workers[i].SoftStop
		}
	}
	return time.Time{}
}

// findChain finds what the stop took its time for: the worker that returned last, the one it had waited for longest, and
// so on to one whose soft stop was the group's. The chain is in the order in which they returned, and leaves groups out.
func (g *graph) findChain() {
	all := make([]int, len(g.workers))
	for i := range all {
		all[i] = i
	}
	visited := make(map[int]bool) // a damaged report may go round
	for i := g.leaf(g.last(all), visited); i >= 0 && !g.onChain[i]; {
		g.onChain[i] = true
		g.chain = append(g.chain, i)
		next := g.last(g.dependents[i])
		for name := parentOf(g.workers[i].Name); next < 0 && name != ""; name = parentOf(name) {
			if group, ok := g.at[name]; ok { // no dependent inside its group: then the group waited
				next = g.last(g.dependents[group])
			}
		}
		i = g.leaf(next, visited)
	}
	slices.Reverse(g.chain)
}

// last is the one of these that returned last, -1 if there is none.
func (g *graph) last(among []int) int {
	last := -1
	for _, i := range among {
		if g.stopped(i) && (last < 0 || g.workers[i].Ended.After(g.workers[last].Ended)) {
			last = i
		}
	}
	return last
}

// leaf is i, or where i is a group, the worker in it that returned last.
func (g *graph) leaf(i int, visited map[int]bool) int {
	for i >= 0 && g.workers[i].Group && !visited[i] {
		visited[i] = true
		inner := g.last(g.members[g.workers[i].Name])
		if inner < 0 {
			break
		}
		i = inner
	}
	return i
}

// steps are the pairs of neighbours on the chain. A step may also lead into a group or out of one, and is then one of the
// group too.
func (g *graph) steps() map[[2]int]bool {
	steps := make(map[[2]int]bool)
	for n := 1; n < len(g.chain); n++ {
		for _, from := range g.lineage(g.chain[n-1]) {
			for _, to := range g.lineage(g.chain[n]) {
				steps[[2]int{from, to}] = true
			}
		}
	}
	return steps
}

// lineage is i and the groups around it.
func (g *graph) lineage(i int) []int {
	line := []int{i}
	for name := parentOf(g.workers[i].Name); name != ""; name = parentOf(name) {
		if group, ok := g.at[name]; ok {
			line = append(line, group)
		}
	}
	return line
}

// parentOf is the path of the group that name is in, "" at the top.
func parentOf(name string) string {
	i := strings.LastIndexByte(name, '/')
	return name[:max(i, 0)]
}
