package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/check"
)

// checkShow shows a check while it runs: the table grows by a line for each scenario that has been played. On a terminal the
// one that is being played has a line as well, which is rewritten in place.
type checkShow struct {
	out    *os.File // the table; nil if standard output has something else
	screen *screen  // nil without a terminal
	text   check.Text
	tick   *time.Ticker
	over   sync.WaitGroup
	closed chan struct{}

	mu       sync.Mutex
	headed   bool
	scenario string
	doing    string // "" between two scenarios
	since    time.Time
	lost     error // why a part of the table could not be written
}

// newCheckShow begins. Without a table, the line for what is being played is on standard error.
func newCheckShow(table bool) *checkShow {
	s := &checkShow{closed: make(chan struct{}), since: time.Now(), scenario: "start", doing: "starting it"}
	out := os.Stderr
	if table {
		s.out, out = os.Stdout, os.Stdout
	}
	s.text = checkText(out)
	if rewrites(out) {
		s.screen = &screen{out: out}
		s.tick = time.NewTicker(time.Second)
		s.over.Go(func() {
			for {
				select {
				case <-s.tick.C:
					s.draw()
				case <-s.closed:
					return
				}
			}
		})
	}
	return s
}

// checkText is how a report is written there.
func checkText(out *os.File) (t check.Text) {
	if columns, _ := size(out); columns > 0 {
		t = check.Text{Width: min(columns-1, 110), Color: rewrites(out) && os.Getenv("NO_COLOR") == ""}
	}
	return t
}

func (s *checkShow) observe(p check.Progress) {
	s.mu.Lock()
	switch {
	case p.Result != nil:
		s.print(s.text.Row(p.Result))
		s.doing = ""
	case p.Scenario != "" && p.Scenario != s.scenario:
		if !s.headed {
			s.headed = true
			s.print(s.text.Head(p.Report))
		}
		s.scenario, s.since, s.doing = p.Scenario, time.Now(), p.Text
	default:
		s.doing = p.Text
	}
	s.mu.Unlock()
	s.draw()
}

// print writes what stays.
func (s *checkShow) print(text string) {
	if s.out == nil {
		return
	}
	if s.screen != nil {
		s.screen.erase()
	}
	if _, err := fmt.Fprint(s.out, text); s.lost == nil {
		s.lost = err
	}
}

func (s *checkShow) draw() {
	if s.screen == nil {
		return
	}
	s.mu.Lock()
	if s.doing == "" { // between two scenarios
		s.mu.Unlock()
		return
	}
	line := s.text.Running(s.scenario, s.doing, time.Since(s.since))
	s.mu.Unlock()
	s.screen.draw([]string{line})
}

// end shows the rest. The error is that of whatever could not be shown.
func (s *checkShow) end(report *check.Report) error {
	close(s.closed)
	s.over.Wait()
	if s.screen != nil {
		s.tick.Stop()
		s.screen.erase()
	}
	if report != nil && s.headed {
		s.print(s.text.Rest(report))
	}
	return s.lost
}
