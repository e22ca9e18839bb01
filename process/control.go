//go:build unix

package process

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
)

// ControlProcess returns a Process that runs a command for p: a hook, a reload command, a probe. It starts as the program of
// p does, with p's user, groups, directory, environment, umask, limits, priority, capabilities and marks; setenv is added to
// the environment. What is p's alone it does not get: the sockets, NOTIFY_SOCKET, the watchdog, the terminal's foreground.
// Its output goes to that of this process unless Stdout and Stderr say otherwise.
//
// The caller runs it. One that is started while p runs belongs to p's family: the end of p ends it, and Run of p does not
// return before it has ended. Its own Run returns an error that matches os.ErrProcessDone if it died of that, or if p is being stopped.
func (p *Process) ControlProcess(command []string, setenv ...string) *Process {
	c := &Process{
		Command: command, Dir: p.Dir, Env: p.Env, Setenv: slices.Concat(p.Setenv, setenv), Kill: min(p.Kill, KillGroup),
		Limits: p.Limits, Cgroup: p.Cgroup, Umask: p.Umask, Nice: p.Nice, NoNewPrivs: p.NoNewPrivs, Capabilities: p.Capabilities,
		Mark: p.Mark, InheritFiles: p.InheritFiles, Ready: Ready{Exit: true}, of: p, on: p.on,
	}
	if p.Sys != nil {
		sys := *p.Sys
		sys.Setctty, sys.Foreground, sys.Noctty, sys.Ptrace = false, false, false, false
		if sys.Pgid != 0 { // a group of its own, so that it can be ended without others
			sys.Setpgid, sys.Pgid = false, 0
		}
		c.Sys = &sys
	}
	return c
}

// controls are the control processes that run while a child does.
type controls struct {
	mu      sync.Mutex
	over    bool // no more of them
	running map[*Process]context.CancelFunc
	none    chan struct{} // closed when over and none is left; nil before over
	cut     chan struct{} // closed when they are to be killed; nil before the first
}

// join makes p one of them. It returns the context that it runs under, the channel that tells of its hard stop, and what is to
// be called when it has ended.
func (c *controls) join(ctx context.Context, p *Process) (joined context.Context, hard <-chan struct{}, leave func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil, nil, nil, os.ErrProcessDone
	}
	if c.running == nil {
		c.running, c.cut = map[*Process]context.CancelFunc{}, make(chan struct{})
	}
	joined, cancel := context.WithCancel(ctx)
	c.running[p] = cancel
	return joined, c.cut, func() {
		cancel()
		c.mu.Lock()
		defer c.mu.Unlock()
		if delete(c.running, p); c.over && len(c.running) == 0 {
			close(c.none)
		}
	}, nil
}

// stop asks all to end, and lets no more of them begin.
func (c *controls) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over, c.none = true, make(chan struct{})
	for _, cancel := range c.running {
		cancel()
	}
	if len(c.running) == 0 {
		close(c.none)
	}
}

// await returns when none is left. At the hard stop they are killed.
func (c *controls) await(hard <-chan struct{}) {
	select {
	case <-c.none:
	case <-hard:
		c.mu.Lock()
		if c.cut != nil {
			close(c.cut)
		}
		c.mu.Unlock()
		<-c.none
	}
}

// runControl is Run of a control process.
func (p *Process) runControl(ctx context.Context) error {
	of := p.of.current.Load()
	if of == nil {
		return p.run(ctx, nil)
	}
	joined, hard, leave, err := of.controls.join(ctx, p)
	if err != nil {
		return err
	}
	defer leave()
	err = p.run(joined, hard)
	if exit, _ := p.Exit(); err == nil && exit.Signal != 0 && ctx.Err() == nil {
		return fmt.Errorf("%s: ended with %s, whose control process it was: %w", p.name(), p.of.name(), os.ErrProcessDone)
	}
	return err
}

// ownerMark is the mark of the family that a control process belongs to, "" if it is not one or its owner does not run.
func (p *Process) ownerMark() string {
	if p.of == nil {
		return ""
	}
	if c := p.of.current.Load(); c != nil {
		return c.family.id
	}
	return ""
}

// probe runs a command as a control process until it ends, or is killed with its family at the end of ctx.
func (c *child) probe(ctx context.Context, command []string) error {
	p := c.p.ControlProcess(command)
	p.Stop = []Step{{Signal: syscall.SIGKILL}}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	p.Stdout, p.Stderr = null, null
	// Without the worker that ctx belongs to, which is ready by the probe and not as the probe.
	alone, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	err = p.Run(alone)
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", command[0], context.Cause(ctx))
	}
	return err
}
