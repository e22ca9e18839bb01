//go:build unix

package supervisor

import (
	"context"
	"strconv"
	"time"

	"github.com/lastcall-go/lastcall"
)

// afterCommand is the part of the time of a stop that is left for the signals where a command comes before them: a quarter.
func afterCommand(all time.Duration) time.Duration { return all / 4 }

// graceAfterCommand is the time that the signals of a stop have, 0 for what the group gives.
func (d *definition) graceAfterCommand() time.Duration {
	if d.stopBy == nil {
		return d.Within.Stop
	}
	return max(afterCommand(d.Within.Stop), min(d.Within.Stop, 1))
}

// askToStop runs the command that asks the process to stop, where it has one. A process that is just being started is waited for. It
// returns when the signals are to follow: when the command has failed, or when its time and that of the process are over; and when the
// process has ended.
func (i *instance) askToStop(ctx context.Context, started, ended <-chan struct{}) {
	if i.def.stopBy == nil {
		return
	}
	select {
	case <-started:
	case <-ended:
		return
	}
	pid := i.proc.PID()
	if pid == 0 {
		return
	}
	limit, cancel := context.WithCancel(lastcall.Grace(ctx))
	defer cancel()
	within := i.def.Within.Stop
	if at, ok := limit.Deadline(); ok && (within == 0 || time.Until(at) < within) {
		within = time.Until(at)
	}
	if within > 0 {
		limit, cancel = context.WithTimeout(limit, within-afterCommand(within))
		defer cancel()
	}
	command := i.hook(i.def.stopBy, "LASTCALL_PID="+strconv.Itoa(pid))
	command.Grace = time.Second
	// Without the worker that limit belongs to: the end of the command is not that of the process.
	alone, end := context.WithCancel(context.Background())
	defer end()
	defer context.AfterFunc(limit, end)()
	lastcall.Status(ctx, "the stop command runs")
	err := command.Run(alone)
	if i.proc.PID() != pid { // it has ended, and the command with it
		return
	}
	switch {
	case limit.Err() != nil:
		i.s.say("%s: the stop command has not ended in time", i.name)
	case err != nil:
		i.s.say("%s: the stop command failed: %v", i.name, err)
	default:
		lastcall.Status(ctx, "the stop command has ended")
		select {
		case <-ended:
		case <-limit.Done():
			i.s.say("%s: still runs after the stop command", i.name)
		}
	}
}
