package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/spf13/cobra"
)

const (
	firstLook = 300 * time.Millisecond // so that what is done at once shows nothing
	lookEvery = time.Second
	drawEvery = 200 * time.Millisecond
)

// waiting says while an order is carried out who is still there: on a terminal in one line that is rewritten, elsewhere
// in lines at growing intervals.
type waiting struct {
	names  []string
	out    io.Writer // for what was done
	screen screen    // for who is still there
	cancel context.CancelFunc
	over   sync.WaitGroup

	mu   sync.Mutex
	list []control.Instance
}

// newWaiting begins. names are those of the order, none for all.
func newWaiting(ctx context.Context, cmd *cobra.Command, c *control.Client, names []string) *waiting {
	ctx, cancel := context.WithCancel(ctx)
	w := &waiting{names: names, out: cmd.OutOrStdout(), screen: screen{out: os.Stderr}, cancel: cancel}
	show := w.print
	if w.screen.isTerminal() {
		show = w.draw
	}
	w.over.Go(func() {
		if lastcall.Sleep(ctx, firstLook) != nil {
			return
		}
		w.over.Go(func() { show(ctx) })
		_ = c.Watch(ctx, control.WatchQuery{Every: lookEvery}, func(list []control.Instance) error { // the order itself tells what is wrong
			w.mu.Lock()
			defer w.mu.Unlock()
			w.list = list
			return nil
		})
	})
	return w
}

// print writes lines at growing intervals until ctx ends.
func (w *waiting) print(ctx context.Context) {
	for pause := lookEvery; lastcall.Sleep(ctx, pause) == nil; pause *= 2 {
		if still := w.stillThere(); still != "" {
			fmt.Fprintln(w.screen.out, still)
		}
	}
}

// draw rewrites the line until ctx ends.
func (w *waiting) draw(ctx context.Context) {
	for lastcall.Sleep(ctx, drawEvery) == nil {
		if still := w.stillThere(); still != "" {
			w.screen.draw([]string{still})
		} else {
			w.screen.erase()
		}
	}
}

func (w *waiting) stillThere() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return text.Outside(control.WaitingFor(control.Awaited(w.list, w.names), time.Now()))
}

// tell writes what was done above who is still there.
func (w *waiting) tell(line string) {
	w.screen.erase()
	fmt.Fprintln(w.out, text.Outside(line))
}

func (w *waiting) close() {
	w.cancel()
	w.over.Wait()
	w.screen.erase()
}
