//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/output"
	"github.com/lastcall-go/lastcall/process"
)

// instance is one worker: a process of the file that runs, once or again and again. There may be a thousand.
type instance struct {
	s      *Supervisor
	def    *definition
	name   string
	number int
	source *output.Source // nil where the output is inherited; an instance that replaces another has the same
	errors *output.Source // of standard error, where that goes to a file of its own; likewise
	proc   process.Process
	idle   atomic.Bool // it takes the place of one that was stopped, and runs nothing yet
	clock  *clock      // nil without a schedule
	held   atomic.Bool // somebody stopped it

	stopping atomic.Bool // its stop has begun, and its end has not been said

	// Guarded by Supervisor.mu.
	next     *instance                           // that is to take its place; nil if none is
	old      *instance                           // whose place it has taken, as long as that is still stopping
	followed map[lastcall.State]chan<- *instance // who is told when it enters a state, see follow
}

// newInstance makes the nth instance. With one that it is to replace it has the same output, unless that goes elsewhere now; the old
// one's stays open. What is made and not used is given back by discard.
func (s *Supervisor) newInstance(d *definition, n int, old *instance) (*instance, error) {
	i := &instance{s: s, def: d, name: d.instanceName(n), number: n}
	listen, err := s.sockets.of(d.Listen)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", i.name, err)
	}
	if err := i.openOutput(old); err != nil {
		return nil, err
	}
	d.fill(&i.proc, i, listen)
	if d.Schedule != "" {
		i.clock = newClock()
	}
	return i, nil
}

// discard gives back what an instance holds that runs no more, or never did, unless the one that stays has the same.
func (i *instance) discard(stays *instance) {
	if i.source != nil && (stays == nil || stays.source != i.source) {
		i.source.Close()
	}
	if i.errors != nil && (stays == nil || stays.errors != i.errors) {
		i.errors.Close()
	}
}

// ReplicaName is what the group calls it, in place of the name of its process with a number.
func (i *instance) ReplicaName() string { return i.name }

// ReadyWithin makes the group wait until it is ready; the limit is the process's own.
func (i *instance) ReadyWithin() time.Duration { return 0 }

// Run is one start of the worker.
func (i *instance) Run(ctx context.Context) error {
	switch {
	case i.idle.Load():
		lastcall.Ready(ctx)
		<-ctx.Done()
		return nil
	case i.clock != nil:
		return i.onSchedule(ctx)
	}
	return i.once(ctx)
}

// once runs the process from its start to the end of its last descendant, with the hooks around it.
func (i *instance) once(ctx context.Context) error {
	if err := i.awaitEnds(ctx); err != nil {
		return err
	}
	if i.def.before != nil {
		hook := i.hook(i.def.before)
		if err := i.persist(ctx, func() error { return hook.Run(ctx) }); err != nil {
			return fmt.Errorf("before_start: %w", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := i.persist(ctx, func() error { return i.serve(ctx) })
	i.flush()
	if i.def.after != nil {
		i.afterStop(ctx, err)
	}
	return err
}

// serve runs the process. Where sockets are held for it and the whole group stops, they are let go of before it is told. Where it has a
// command for the stop, that runs before the signals.
func (i *instance) serve(ctx context.Context) error {
	listeners := i.def.Listen
	if len(listeners) == 0 && i.def.stopBy == nil || ctx.Err() != nil {
		return i.proc.Run(ctx)
	}
	forGood := func() bool { // and not because another takes its place, or to start again
		stop := (*lastcall.StopCause)(nil)
		select {
		case <-lastcall.LameDuck(ctx):
			return errors.As(context.Cause(ctx), &stop) && stop.Reason != lastcall.StopReplaced && stop.Reason != lastcall.StopRestart
		default:
			return false
		}
	}
	told, tell := context.WithCancelCause(context.WithoutCancel(ctx))
	defer tell(nil)
	started, ended := make(chan struct{}), make(chan struct{})
	defer close(ended)
	begun := sync.OnceFunc(func() { close(started) })
	i.proc.OnStart = func(int) { begun() }
	defer context.AfterFunc(ctx, func() {
		if forGood() {
			i.s.sockets.letGo(listeners)
		}
		i.askToStop(ctx, started, ended)
		tell(context.Cause(ctx))
	})()
	i.s.sockets.runs(listeners)
	defer func() { i.s.sockets.ended(listeners, forGood()) }()
	return i.proc.Run(told)
}

// hook is a command that runs for the instance, as the process itself does but for the sockets. It never makes it ready.
func (i *instance) hook(command []string, env ...string) *process.Process {
	hook := i.proc.ControlProcess(command, env...)
	hook.Stdout, hook.Stderr = i.proc.Stdout, i.proc.Stderr
	return hook
}

// afterStop runs the hook of that name in what is left of the time of the stop.
func (i *instance) afterStop(ctx context.Context, err error) {
	grace := lastcall.Grace(ctx)
	if grace.Err() != nil {
		i.s.say("%s: after_stop was not run: there is no time left", i.name)
		return
	}
	hook := i.hook(i.def.after, "LASTCALL_EXIT_STATUS="+strconv.Itoa(statusOf(err)))
	hook.Grace = time.Second // at the hard stop
	if err := hook.Run(grace); err != nil {
		i.s.say("%s: after_stop: %v", i.name, err)
	}
	i.flush()
}

// env is its environment: the process's with its number.
func (i *instance) env() []string {
	env := append(slices.Clip(i.def.env), "LASTCALL_INSTANCE="+strconv.Itoa(i.number))
	if port := i.def.Port; port != 0 {
		env = append(env, "PORT="+strconv.Itoa(port+i.number-1))
	}
	if i.def.ps {
		env = append(env, "PS="+config.PS(i.def.Name, i.number))
	}
	return env
}

// exit is how its last run ended, "" before.
func (i *instance) exit() string {
	if e, ok := i.proc.Exit(); ok {
		return e.String()
	}
	return ""
}

// reload tells it to read its configuration, in the way that its process has.
func (i *instance) reload(ctx context.Context) error {
	if i.proc.PID() == 0 {
		return errors.New("it does not run")
	}
	if i.def.reload != 0 {
		return i.proc.Reload(ctx, i.def.reload)
	}
	command := i.hook(i.def.reloadBy, "LASTCALL_PID="+strconv.Itoa(i.proc.PID()))
	command.Grace = time.Second
	if err := command.Run(ctx); err != nil {
		return err
	}
	return context.Cause(ctx)
}
