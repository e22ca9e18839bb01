package lastcalltest

import (
	"strings"

	"github.com/lastcall-go/lastcall"
)

// AssertFinished waits for the worker's end and fails the test unless the worker stopped well: it returned within its grace
// period, without an error or a panic, no work was cut, and no goroutine was left behind. What was accepted in works must be
// finished. It begins the soft stop if there was none.
func (r *Running) AssertFinished(works ...*Work) {
	r.tb.Helper()
	if v := r.end(works...); !v.well() {
		r.tb.Errorf("%s did not stop well%s", r.name, v.text())
	}
}

// AssertCut waits for the worker's end and fails the test unless the hard stop cut work in flight and the worker returned
// then: it was not abandoned, did not fail otherwise, and left no goroutine behind. It begins the soft stop if there was none.
func (r *Running) AssertCut() {
	r.tb.Helper()
	v := r.end()
	if len(v.cut) == 0 {
		r.tb.Errorf("%s was not cut by the hard stop%s", r.name, v.text())
	} else if len(v.failed)+len(v.lost)+len(v.abandoned)+len(v.left) > 0 {
		r.tb.Errorf("%s was cut and did not end well%s", r.name, v.text())
	}
}

// AssertAbandoned waits for the worker's end and fails the test unless it was abandoned: it did not return even after the
// hard stop. It begins the soft stop if there was none. Inside a bubble the test has to let the worker go before it returns.
func (r *Running) AssertAbandoned() {
	r.tb.Helper()
	if v := r.end(); len(v.abandoned) == 0 {
		r.tb.Errorf("%s was not abandoned%s", r.name, v.text())
	}
}

// AssertLeaked waits for the worker's end and fails the test unless the worker left a goroutine behind. It begins the soft
// stop if there was none. Inside a bubble the test has to let the goroutine go before it returns.
func (r *Running) AssertLeaked() {
	r.tb.Helper()
	if v := r.end(); len(v.left) == 0 {
		r.tb.Errorf("%s left no goroutine behind%s", r.name, v.text())
	}
}

// end stops the worker, waits for its end and judges it.
func (r *Running) end(works ...*Work) *verdict {
	r.Stop()
	<-r.done
	return r.judge(works...)
}

// A verdict is how a worker ended, a line or more for each thing that went wrong.
type verdict struct {
	failed    []string // errors, panics, and what Run said besides
	cut       []string // by the hard stop
	lost      []string // work that was accepted and not finished
	abandoned []string // did not return after the hard stop
	left      []string // goroutines
	report    lastcall.Report
}

// judge says how a worker that has ended did so.
func (r *Running) judge(works ...*Work) *verdict {
	v := &verdict{report: r.group.Report()}
	v.add(r.err)
	for _, w := range v.report.Workers {
		if w.Leaks != "" {
			v.left = append(v.left, "left: "+w.Name+": goroutines that it started still run")
		}
	}
	for _, work := range works {
		if lost := work.Unfinished(); len(lost) > 0 {
			v.lost = append(v.lost, "lost: accepted and not finished: "+strings.Join(lost, ", "))
		}
	}
	return v
}

// add sorts the errors in an error of lastcall.Run by their kinds.
func (v *verdict) add(err error) {
	switch e := err.(type) {
	case nil:
	case *lastcall.WorkerError:
		switch e.Kind {
		case lastcall.ErrInterrupted:
			v.cut = append(v.cut, e.Error())
		case lastcall.ErrLost:
			v.lost = append(v.lost, e.Error())
		case lastcall.ErrAbandoned:
			v.abandoned = append(v.abandoned, e.Error())
		default:
			v.failed = append(v.failed, "failed: "+e.Error())
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			v.add(inner)
		}
	default:
		v.failed = append(v.failed, "failed: "+err.Error())
	}
}

// well reports whether nothing went wrong.
func (v *verdict) well() bool { return len(v.all()) == 0 }

func (v *verdict) all() (lines []string) {
	for _, part := range [][]string{v.failed, v.cut, v.lost, v.abandoned, v.left} {
		lines = append(lines, part...)
	}
	return lines
}

// text is all of the verdict and the report, which has the stacks, indented, to follow a headline.
func (v *verdict) text() string {
	all := strings.Join(v.all(), "\n")
	if all == "" {
		all = "it stopped well"
	}
	return ":" + indent(all+"\n"+v.report.String())
}

// indent starts a new line and indents text.
func indent(text string) string {
	if text = strings.TrimRight(text, "\n"); text == "" {
		return ""
	}
	return "\n    " + strings.ReplaceAll(text, "\n", "\n    ")
}
