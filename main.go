package lastcall

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/lastcall-go/lastcall/internal/text"
)

// Main is the whole of a daemon's main function: it runs w under signals as [Run] does, reports the outcome on standard
// error, and exits with the status of [ExitCode]; a forced end dies of its signal, as [Exit] says. It does not return, and
// calls deferred before it do not run. Signals are armed first of all and to the very end: one that comes after the last
// worker has returned does not spoil the exit status.
//
// Where standard error is a terminal, a line shows while the program starts or stops which workers it waits for and what
// Ctrl-C does, and the waterfall of the [Report] follows, up to 120 columns wide, with the error below it. Elsewhere, in a
// container or under a service manager, the events are log records of slog.Default, see [Log]; a [Group] with an Observe
// of its own logs its events itself, and only the error that it ended with is logged here. [Interactive] forces either.
func Main(w Worker, opts ...RunOption) {
	c := arm(opts)
	c.lastResort = Exit
	Exit(c.main(w, os.Stderr))
}

// Interactive forces how [Main] presents the run: true as on a terminal, with the waterfall (and without the line that
// is rewritten in place where standard error is not a terminal); false as log records, on a terminal too.
func Interactive(on bool) RunOption {
	return func(c *control) { c.interactive = &on }
}

// main is Main without its beginning and its end.
func (c *control) main(w Worker, stderr *os.File) error {
	width := columns(stderr)
	interactive := width > 0
	if c.interactive != nil {
		interactive = *c.interactive
	}
	if !interactive {
		return c.logged(w)
	}
	var screen *display
	if width > 0 {
		screen = newDisplay(stderr, func() int { return columns(stderr) }, c.awaited)
		c.listeners = append(c.listeners, screen.observe)
		if c.reportTo == os.Stderr {
			c.reportTo = screen
		}
		c.reportWidth = func() int { return columns(stderr) }
	}
	err := c.run(context.Background(), w)
	if screen != nil {
		screen.close()
	}
	if report := c.group.Report(); len(report.Workers) > 0 {
		fmt.Fprint(stderr, c.drawn(report))
	}
	if err != nil {
		line := fmt.Sprintf("%T", err)
		contained(func() { line = brief(err) })
		fmt.Fprintln(stderr, "lastcall:", strings.TrimPrefix(text.Outside(line), "lastcall: "))
	}
	return err
}

// logged runs w and logs what happens, each fact once.
func (c *control) logged(w Worker) error {
	log := slog.Default()
	g, ok := w.(*Group)
	own := ok && g != nil && g.Observe != nil
	if !own {
		c.listeners = append(c.listeners, Log(log))
	}
	err := c.run(context.Background(), w)
	forced := (*ForcedError)(nil)
	switch {
	case err == nil:
	case own || c.group.current() == nil: // no event of ours has it
		logError("ended", "error", text.Outside(textOf(err)))
	default:
		for _, left := range c.left {
			logError("abandoned", "error", text.Outside(textOf(left)))
		}
		if errors.As(err, &forced) {
			logError((&ForcedError{Signal: forced.Signal}).Error())
		}
	}
	return err
}

// drawn is a report as wide as the terminal on which it is shown, within what is readable.
func (c *control) drawn(r Report) string {
	if c.reportWidth == nil {
		return r.String()
	}
	return r.waterfall(min(c.reportWidth(), widestReport), !utf8Terminal())
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
