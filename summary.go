package lastcall

import (
	"fmt"
	"strings"

	"github.com/lastcall-go/lastcall/internal/summary"
	"github.com/lastcall-go/lastcall/internal/text"
)

func init() {
	summary.Of = func(report any) summary.Summary { return report.(Report).summary() }
}

// summary is the report in counts and words.
func (r Report) summary() summary.Summary {
	s := summary.Summary{Of: make([]summary.Worker, len(r.Workers))}
	for i := range r.Workers {
		w := &r.Workers[i]
		s.Of[i] = r.summaryOf(w)
		if w.Group {
			continue
		}
		s.Workers++
		s.InFlight += w.InFlight
		s.Interrupted += w.Interrupted
		s.Lost += w.Lost
		switch {
		case w.State == StateAbandoned:
			s.Abandoned++
		case w.State == StateFailed:
			s.Failed++
		case !w.HardStop.IsZero():
			s.Cut++
		}
		if w.Leaks != "" {
			s.Leaked++
		}
	}
	return s
}

// summaryOf is what the report says of w.
func (r Report) summaryOf(w *WorkerReport) summary.Worker {
	ended := !w.Ended.IsZero()
	s := summary.Worker{
		Bad: w.State == StateFailed || w.State == StateAbandoned || !w.HardStop.IsZero() || w.Leaks != "" || w.Interrupted > 0 || w.Lost > 0,
	}
	s.Told = s.Bad || w.State != StateStopped && w.State != StateReady || w.Err != "" || w.Restarts > 0 || w.Unready != ""
	switch {
	case w.State == StateAbandoned, w.State == StateFailed:
		s.Ending = w.State.String()
	case !w.HardStop.IsZero():
		s.Ending = "cut"
	case w.Started.IsZero() && (!r.SoftStop.IsZero() || !r.Ended.IsZero()):
		s.Ending = "never started"
	case w.SoftStop.IsZero() && ended:
		s.Ending = "completed"
	}
	add := func(list *[]string, n int, what string) {
		if n > 0 {
			*list = append(*list, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(&s.Work, w.InFlight, "in flight")
	add(&s.Work, w.Interrupted, "interrupted")
	add(&s.Work, w.Lost, "lost")
	if w.Leaks != "" {
		s.Rest = append(s.Rest, "leaked")
	}
	if w.Restarts > 0 {
		s.Rest = append(s.Rest, text.Count(w.Restarts, "restart"))
	}
	if w.Unready != "" && !ended {
		s.Rest = append(s.Rest, "not ready: "+text.Outside(w.Unready))
	}
	if w.Status != "" && (!ended || w.State == StateAbandoned) {
		s.Rest = append(s.Rest, text.Outside(w.Status))
	}
	if name := text.Outside(w.Name); w.Err != "" && !w.Group {
		s.Failure = text.Outside(w.Err)
		if !strings.HasPrefix(s.Failure, name+":") {
			s.Failure = name + ": " + s.Failure
		}
	}
	switch {
	case w.SoftStop.IsZero():
	case ended:
		s.Took = max(w.Ended.Sub(w.SoftStop), 0)
	default:
		s.Took = max(r.Taken.Sub(w.SoftStop), 0)
	}
	return s
}
