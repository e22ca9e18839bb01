//go:build unix

package supervisor

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/process"
)

// endAbandoned kills what the stop had no time left to kill, or to see die.
func (s *Supervisor) endAbandoned() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // nothing softly any more
	ended := make(chan []process.Relative, 1)
	go func() {
		list, _ := process.EndLeftovers(ctx, s.mark)
		ended <- list
	}()
	select {
	case list := <-ended:
		for _, r := range list {
			s.say("%s: killed in the end", r)
		}
	case <-time.After(lastKill):
	}
}

// endStrays ends the orphans of which nothing tells whose they are, and which no process had to itself, in what is left of the grace
// period.
func (s *Supervisor) endStrays() {
	list, spared := process.Strays()
	for _, r := range spared {
		s.say("%s: goes on, since it may belong to a process that is stopped with kill: group or process, or was there before", r)
	}
	if len(list) == 0 {
		return
	}
	for _, r := range list {
		s.say("%s: left behind, stopping it", r)
	}
	left := lastKill
	if began := s.group.Report().SoftStop; !began.IsZero() {
		left = max(left, time.Until(began.Add(cmp.Or(s.group.Grace, lastcall.DefaultGrace))))
	}
	ctx, cancel := context.WithTimeout(context.Background(), left)
	defer cancel()
	ended := make(chan []process.Relative, 1)
	go func() {
		list, _ := process.EndStrays(ctx)
		ended <- list
	}()
	select {
	case list := <-ended:
		rest := slices.DeleteFunc(list, func(r process.Relative) bool { return !r.Killed && !r.OutOfReach })
		if len(rest) > 0 {
			s.err = errors.Join(s.err, &process.FamilyError{Name: "lastcall", Rest: rest})
		}
	case <-time.After(left + lastKill):
		s.err = errors.Join(s.err, &process.FamilyError{Name: "lastcall", Rest: list})
	}
}

// lastKill is how long what is killed in the end may take to die. The system may hold it up.
const lastKill = time.Second

// endLeftovers ends what outlived an earlier supervisor that had the same socket. It reports whether to go on: no signal came.
func (s *Supervisor) endLeftovers(signals <-chan os.Signal) bool {
	if s.listener == nil || !s.listener.Replaced { // nothing was killed, and to look at every process of the machine takes its time
		return true
	}
	found, err := process.Leftovers(s.mark)
	if err != nil || len(found) == 0 {
		return true // or the system cannot tell
	}
	for _, r := range found {
		s.say("%s is left from an earlier lastcall up that was killed", r)
	}
	if s.opts.KeepLeftovers {
		return true
	}
	grace := cmp.Or(s.group.Grace, lastcall.DefaultGrace)
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	ended := make(chan []process.Relative, 1)
	go func() {
		list, _ := process.EndLeftovers(ctx, s.mark)
		ended <- list
	}()
	goOn := true
	for {
		select {
		case list := <-ended:
			for _, r := range list {
				s.say("%s: ended", r)
			}
			return goOn
		case sig := <-signals:
			if isStop(sig) {
				goOn = false
				cancel() // now they are killed
			}
		}
	}
}
