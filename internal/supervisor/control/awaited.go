package control

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall"
)

// Awaited are those who are on their way, of the named ones if there are any of these.
func Awaited(list []Instance, names []string) []Instance {
	var named, others []Instance
	for _, i := range list {
		switch i.State {
		case lastcall.StateStopping, lastcall.StateCut, lastcall.StateStarting, lastcall.StateRestarting:
		default:
			continue
		}
		if len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return matches(name, i.Name) || matches(name, i.Process) }) {
			named = append(named, i)
		} else {
			others = append(others, i)
		}
	}
	if named == nil {
		return others
	}
	return named
}

// mostNamed are so many names in one line.
const mostNamed = 8

// WaitingFor says who is awaited, the longest first; "" if nobody is.
func WaitingFor(list []Instance, now time.Time) string {
	if len(list) == 0 {
		return ""
	}
	slices.SortStableFunc(list, func(a, b Instance) int { return a.Since.Compare(b.Since) })
	var texts []string
	for _, i := range list[:min(len(list), mostNamed)] {
		facts := []string{max(now.Sub(i.Since), 0).Truncate(time.Second).String()}
		if i.PID != 0 {
			facts = append([]string{fmt.Sprintf("pid %d", i.PID)}, facts...)
		}
		if i.State != lastcall.StateStopping {
			facts = append(facts, i.State.String())
		}
		for _, text := range []string{i.Status, i.Detail} {
			if text != "" && !slices.Contains(facts, text) {
				facts = append(facts, text)
			}
		}
		texts = append(texts, fmt.Sprintf("%s (%s)", i.Name, strings.Join(facts, ", ")))
	}
	if more := len(list) - mostNamed; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return "waiting for " + strings.Join(texts, ", ")
}
