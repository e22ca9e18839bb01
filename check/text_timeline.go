package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// labels are what the kinds of moments are called.
var labels = map[Kind]string{
	KindStart: "started", KindReady: "ready", KindSignal: "signal", KindAccept: "last accept", KindResponse: "last answer",
	KindLost: "lost", KindThread: "thread ended", KindChild: "child ended", KindExit: "ended", KindLeft: "left behind", KindKill: "killed",
}

func (k Kind) label() string { return cmp.Or(labels[k], string(k)) }

// timeline is a line for each moment, and one for threads and children that ended together.
func (t Text) timeline(tl *Timeline) string {
	var b strings.Builder
	moments := condense(tl.Moments)
	unit, scale := "ms", float64(time.Millisecond)
	for _, m := range moments {
		if m.At.Abs() >= 10*time.Second {
			unit, scale = "s ", float64(time.Second)
		}
	}
	for _, m := range moments {
		at := fmt.Sprintf("%+.1f", float64(m.At)/scale)
		if scale == float64(time.Second) {
			at = fmt.Sprintf("%+.3f", float64(m.At)/scale)
		}
		if strings.Trim(at, "+-0.") == "" {
			at = at[1:]
		}
		label := pad(m.Kind.label(), 14)
		switch m.Kind {
		case KindSignal:
			label = t.paint(bold, label)
		case KindLost, KindLeft, KindKill:
			label = t.paint(colors[Fail], label)
		}
		b.WriteString(t.hanging(fmt.Sprintf("  %10s %s  %s", at, unit, label), m.Text))
	}
	return b.String()
}

// together are moments that are one line: the first, whose text speaks for all.
type together struct {
	Moment
	all []Moment
}

// condense makes one moment of those that follow each other and say the same: threads, or children, that ended, of whatever
// name; and others whose text is equal.
func condense(moments []Moment) (short []together) {
	for i := 0; i < len(moments); {
		first := moments[i]
		ends := first.Kind == KindThread || first.Kind == KindChild
		j := i + 1
		for j < len(moments) && moments[j].Kind == first.Kind && (ends || moments[j].Text == first.Text) {
			j++
		}
		if n := j - i; n > 1 {
			until := ""
			if last := moments[j-1].At; last != first.At {
				until = ", the last at " + offsetText(last)
			}
			switch {
			case ends:
				first.Text = fmt.Sprintf("%d: %s%s", n, whoEnded(moments[i:j]), until)
			default:
				first.Text = fmt.Sprintf("%s, %d times%s", first.Text, n, until)
			}
		}
		short = append(short, together{first, moments[i:j]})
		i = j
	}
	return short
}

// mostNames are listed of threads that ended together.
const mostNames = 6

// whoEnded lists the names of threads or processes, without their numbers, the most frequent first.
func whoEnded(moments []Moment) string {
	counts := map[string]int{}
	var all []string
	for _, m := range moments {
		name, _, _ := strings.Cut(m.Text, "[")
		if counts[name]++; counts[name] == 1 {
			all = append(all, name)
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return counts[b] - counts[a] })
	var list []string
	for _, name := range all[:min(len(all), mostNames)] {
		if counts[name] > 1 {
			name += fmt.Sprintf(" x%d", counts[name])
		}
		list = append(list, name)
	}
	if len(all) > mostNames {
		list = append(list, fmt.Sprintf("and %d more names", len(all)-mostNames))
	}
	return strings.Join(list, ", ")
}
