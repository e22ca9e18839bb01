package lastcalltest

import (
	"fmt"
	"slices"
	"sync"
)

// A Work is what a worker was given and what became of it. A test's fakes call its methods where work is acknowledged and
// where it is done; [Running.AssertFinished] and [Stress] then name what was lost. The zero value is ready. All methods may be
// called from any goroutine.
type Work struct {
	mu   sync.Mutex
	open map[string]int // how often each item was accepted, less how often it was finished
}

// Accept notes that item was acknowledged: from now on its loss is a defect.
func (w *Work) Accept(item any) { w.add(item, 1) }

// Finish notes that item was done, or given back to where another worker finds it.
func (w *Work) Finish(item any) { w.add(item, -1) }

func (w *Work) add(item any, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == nil {
		w.open = map[string]int{}
	}
	w.open[fmt.Sprint(item)] += n
}

// Unfinished lists the items that were accepted more often than finished, in the order of their text.
func (w *Work) Unfinished() (items []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for item, n := range w.open {
		if n > 0 {
			items = append(items, item)
		}
	}
	slices.Sort(items)
	return items
}
