package lastcall

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/lastcall-go/lastcall/internal/text"
)

// Main is the whole of a daemon's main function: it runs w under signals as [Run] does, writes the report and the error
// to standard error, and exits with the status of [ExitCode]; a forced end dies of its signal, as [Exit] says. It does
// not return. Signals are armed first of all and to the very end: one that comes after the last worker has returned
// does not spoil the exit status.
//
// While the program stops, a terminal shows in place who is still awaited and how to force the end. Where standard
// error is not a terminal, and w is not a [Group] with an Observe of its own, the stop is logged with slog.Default.
func Main(w Worker, opts ...RunOption) {
	c := arm(opts)
	c.lastResort = Exit
	Exit(c.main(w, os.Stderr))
}

// main is Main without its beginning and its end.
func (c *control) main(w Worker, stderr *os.File) error {
	var screen *display
	if width := columns(stderr); width > 0 {
		screen = newDisplay(stderr, func() int { return columns(stderr) }, c.awaited)
		c.listeners = append(c.listeners, screen.observe)
		if c.reportTo == os.Stderr {
			c.reportTo = screen
		}
	} else if g, ok := w.(*Group); !ok || g != nil && g.Observe == nil {
		c.listeners = append(c.listeners, LogStop(slog.Default()))
	}
	err := c.run(context.Background(), w)
	if screen != nil {
		screen.close()
	}
	if report := c.group.Report(); len(report.Workers) > 0 {
		fmt.Fprint(stderr, report)
	}
	if err != nil {
		line := fmt.Sprintf("%T", err)
		contained(func() { line = brief(err) })
		fmt.Fprintln(stderr, "lastcall:", strings.TrimPrefix(text.Outside(line), "lastcall: "))
	}
	return err
}

// brief is an error in a line that a person reads, of the many only the first: the report before it has all.
func brief(err error) string {
	const most = 3
	switch e := err.(type) {
	case *ForcedError:
		return (&ForcedError{Signal: e.Signal}).Error()
	case *groupError:
		if more := len(e.errs) - most; more > 0 {
			return fmt.Sprintf("%v; and %s more", &groupError{e.errs[:most]}, text.Count(more, "error"))
		}
	}
	return err.Error()
}

// awaited are the workers that the stop waits for at the moment.
func (c *control) awaited() []Awaited {
	if r := c.group.current(); r != nil {
		return r.awaited()
	}
	return nil
}
