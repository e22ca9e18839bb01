//go:build unix

package supervisor

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"syscall"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/safefile"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/process"
)

// definition is a process of the file, made ready to run: what all its instances share. Neither it nor the part of the file that it
// holds is changed after define, so every goroutine may read it. How many instances there are to be is the program's.
type definition struct {
	*config.Process
	numbered bool // instances have numbers in their names; one that runs keeps its name, whatever a new file says
	argv     []string
	dir      string               // where it runs
	home     string               // of its user; "" is that of the user who runs lastcall
	env      []string             // besides that of lastcall itself
	sys      *syscall.SysProcAttr // nil where nothing is to be set
	log      safefile.LogOptions
	ready    process.Ready
	alive    process.Alive
	stop     []process.Step
	stopBy   []string // the command that comes before the signals
	kill     process.Mode
	limits   process.Limits
	cgroup   *process.Cgroup // nil unless limits need one; its name is the instance's
	// capabilities are all that it can ever have; nil is no limit.
	capabilities []process.Capability
	reload       syscall.Signal // 0 if it is not by a signal
	reloadBy     []string
	before       []string
	after        []string
	restart      *lastcall.RestartPolicy
	ps           bool // PS has the number of the instance, as in a Procfile
}

// define makes a process of the file ready to run. numbered is whether its instances have numbers in their names.
func define(p *config.Process, numbered bool) (*definition, error) {
	d := &definition{Process: p, numbered: numbered, argv: argv(&p.Command), before: argv(p.Hooks.BeforeStart), after: argv(p.Hooks.AfterStop), reloadBy: argv(p.Reload.Command), stopBy: argv(p.StopBy)}
	fail := func(key string, err error) error { return fmt.Errorf("%s: %s: %w", p.Name, key, err) }
	d.env = append(slices.Clone(p.Env), "LASTCALL_PROCESS="+p.Name)
	d.ps = slices.Contains(p.Env, "PS="+config.PS(p.Name, 1))
	var err error
	if p.User != "" {
		if err := d.become(p.User); err != nil {
			return nil, fail("user", err)
		}
	}
	for _, name := range p.Capabilities {
		c, err := process.ParseCapability(name)
		if err != nil {
			return nil, fail("capabilities", err)
		}
		d.capabilities = append(d.capabilities, c)
	}
	if p.Capabilities != nil && d.capabilities == nil {
		d.capabilities = []process.Capability{} // none
	}
	d.leaveTerminal()
	if d.dir, err = d.homeDir(p.Dir); err != nil {
		return nil, fail("dir", err)
	}
	if d.log, err = d.logOptions(); err != nil {
		return nil, fail("log", err)
	}
	if d.ready, err = readiness(p); err != nil {
		return nil, fail("ready", err)
	}
	l := p.Liveness
	d.alive = process.Alive{TCP: l.TCP, HTTP: l.HTTP, Exec: argv(l.Exec), Every: l.Every, Within: l.Within, Failures: l.Failures}
	for _, step := range p.Stop {
		sig, err := process.ParseSignal(step.Signal)
		if err != nil {
			return nil, fail("stop", err)
		}
		d.stop = append(d.stop, process.Step{Signal: sig, Within: step.Within})
	}
	if p.Kill != "" {
		if err := d.kill.UnmarshalText([]byte(p.Kill)); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	if p.Reload.Signal != "" {
		if d.reload, err = process.ParseSignal(p.Reload.Signal); err != nil {
			return nil, fail("reload", err)
		}
	}
	d.limits = process.Limits{NoFile: p.Limits.NoFile, Core: p.Limits.Core, Memory: p.Limits.Memory, CPUTime: uint64(p.Limits.CPU.Seconds()), NProc: p.Limits.NProc, Stack: p.Limits.Stack, MemLock: p.Limits.MemLock}
	if d.cgroup, err = cgroupOf(&p.Limits); err != nil {
		return nil, fail("limits", err)
	}
	r := p.Restart
	switch r.When {
	case "", "never":
	case "on-failure", "always":
		d.restart = &lastcall.RestartPolicy{
			Always: r.When == "always", MinDelay: r.Delay, MaxDelay: r.Max, Stable: r.Stable, Limit: r.Limit, Within: r.Window, AtOnce: true,
		}
	default:
		return nil, fail("restart", fmt.Errorf("%q is none of never, on-failure, always", r.When))
	}
	return d, nil
}

// cgroupOf is the control group that limits need, nil if none does. The error says why it cannot be had here, by the key.
func cgroupOf(l *config.Limits) (*process.Cgroup, error) {
	all := &process.Cgroup{Pids: l.Pids, Memory: l.MemoryMax, CPUs: l.CPUs}
	if *all == (process.Cgroup{}) {
		return nil, nil
	}
	for _, one := range []struct {
		key   string
		is    bool
		group process.Cgroup
	}{
		{"pids", l.Pids > 0, process.Cgroup{Pids: l.Pids}},
		{"memory_max", l.MemoryMax > 0, process.Cgroup{Memory: l.MemoryMax}},
		{"cpus", l.CPUs > 0, process.Cgroup{CPUs: l.CPUs}},
	} {
		if one.is {
			if err := one.group.Check(); err != nil {
				return nil, fmt.Errorf("%s needs a cgroup of its own, which is not possible here: %w", one.key, err)
			}
		}
	}
	return all, nil
}

// readiness is how one knows that an instance is ready.
func readiness(p *config.Process) (process.Ready, error) {
	r := process.Ready{
		Notify: p.Ready.Notify, FD: p.Ready.FD, TCP: p.Ready.TCP, HTTP: p.Ready.HTTP, Exec: argv(p.Ready.Exec),
		Delay: p.Ready.Delay, Within: p.Ready.Within,
	}
	if p.Ready.Log != "" {
		var err error
		if r.Log, err = regexp.Compile(p.Ready.Log); err != nil {
			return r, err
		}
	}
	if p.Oneshot {
		r = process.Ready{Exit: true, Within: p.Ready.Within}
	}
	return r, nil
}

// fill sets what the process of an instance is made of. listen are its sockets, which are open.
func (d *definition) fill(p *process.Process, i *instance, listen []process.Socket) {
	p.Command, p.Dir, p.Env, p.Setenv, p.Sys = d.argv, d.dir, i.s.environ, i.env(), d.sys
	p.Stdout, p.Stderr = i.stdout(), i.stderr()
	p.Stop, p.Kill, p.Grace, p.Extend = d.stop, d.kill, d.graceAfterCommand(), d.Within.Extend
	p.Ready, p.Notify, p.Watchdog, p.Alive, p.Listen = d.ready, d.Notify, d.Watchdog, d.alive, listen
	p.Limits, p.Umask, p.Nice = d.limits, d.Umask, d.Priority
	if d.cgroup != nil {
		group := *d.cgroup
		group.Name = i.name
		p.Cgroup = &group
	}
	p.NoNewPrivs, p.Capabilities = d.NoNewPrivs != nil && *d.NoNewPrivs, d.capabilities
	p.Mark, p.CleanCodes, p.Outlive = i.s.mark, d.Clean, d.Outlive
}

// options are how the instances of a process live in the group.
func (s *Supervisor) options(d *definition) []lastcall.Option {
	opts := []lastcall.Option{lastcall.After(s.members(d.After)...), lastcall.Requires(s.members(d.Requires)...)}
	if d.restart != nil && d.Schedule == "" {
		opts = append(opts, lastcall.Restart(*d.restart))
	}
	switch d.OnExit {
	case config.OnExitContinue:
		opts = append(opts, lastcall.Optional())
	case config.OnExitEssential:
		opts = append(opts, lastcall.Essential())
	}
	return opts
}

// dependencies are the names of the processes that it starts after.
func (d *definition) dependencies() []string { return slices.Concat(d.After, d.Requires) }

// instanceName is the name of the nth instance, from 1.
func (d *definition) instanceName(n int) string {
	if n == 1 && !d.numbered {
		return d.Name
	}
	return d.Name + "-" + strconv.Itoa(n)
}
