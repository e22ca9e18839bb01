package lastcall_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

// journal is what happened in a test, in order.
type journal struct {
	mu      sync.Mutex
	began   time.Time
	entries []string
}

func newJournal() *journal { return &journal{began: time.Now()} }

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, fmt.Sprintf(format, args...))
}

// addAt is add with the virtual time since the journal began in front.
func (j *journal) addAt(format string, args ...any) {
	j.add("%v %s", time.Since(j.began).Round(time.Millisecond), fmt.Sprintf(format, args...))
}

func (j *journal) list() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.entries)
}

// expect compares the journal with want, a line an entry. Workers that are ready when their functions are entered write
// their first lines ("starts") in any order, so neighbours of the same moment are compared as a set.
func (j *journal) expect(t *testing.T, want ...string) {
	t.Helper()
	got := j.list()
	sortStarts(got)
	sortStarts(want)
	if !slices.Equal(got, want) {
		t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// sortStarts sorts what starts at the same moment.
func sortStarts(entries []string) {
	for from := 0; from < len(entries); {
		moment, _, _ := strings.Cut(entries[from], " ")
		to := from
		for to < len(entries) && strings.HasPrefix(entries[to], moment+" ") && strings.HasSuffix(entries[to], " starts") {
			to++
		}
		slices.Sort(entries[from:to])
		from = max(to, from+1)
	}
}

// index is the position of an entry, which must be there.
func (j *journal) index(t *testing.T, entry string) int {
	t.Helper()
	i := slices.Index(j.list(), entry)
	if i < 0 {
		t.Fatalf("no entry %q in:\n  %s", entry, strings.Join(j.list(), "\n  "))
	}
	return i
}

// states is a listener that records state changes as "name state".
func (j *journal) states(e lastcall.Event) {
	if e.Kind == lastcall.EventState {
		j.addAt("%s %s", name(e), e.State)
	}
}

func name(e lastcall.Event) string {
	if e.Name == "" {
		return "group"
	}
	return e.Name
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

// runFor runs g and ends its context after d of virtual time.
func runFor(t *testing.T, g *lastcall.Group, d time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	timer := time.AfterFunc(max(d, 1), cancel) // in virtual time everything has started by then
	defer timer.Stop()
	return g.Run(ctx)
}

// untilStop is a worker that does nothing until the soft stop.
func untilStop(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// worker finds a worker in a report.
func worker(t *testing.T, r lastcall.Report, name string) lastcall.WorkerReport {
	t.Helper()
	for _, w := range r.Workers {
		if w.Name == name {
			return w
		}
	}
	t.Fatalf("no worker %q in the report:\n%v", name, r)
	return lastcall.WorkerReport{}
}

// workerError is the first error of that kind in err, nil if there is none.
func workerError(err error, kind lastcall.ErrorKind) *lastcall.WorkerError {
	if w, ok := err.(*lastcall.WorkerError); ok && w.Kind == kind {
		return w
	}
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if w := workerError(inner, kind); w != nil {
				return w
			}
		}
	case interface{ Unwrap() error }:
		return workerError(e.Unwrap(), kind)
	}
	return nil
}
