//go:build unix

package pid1

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/allsignals"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
	"github.com/lastcall-go/lastcall/timeline"
)

// stopSignals ask for a stop, and so does what Config.Stop begins with.
var stopSignals = []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}

// jobSignals stop a process at a terminal.
var jobSignals = []syscall.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU}

// processors are more than enough to wait for one program.
const processors = 2

// runner is one run.
type runner struct {
	*Config
	signals  *allsignals.Signals
	ignored  allsignals.Set // those that the program is to ignore
	proc     process.Process
	group    lastcall.Group
	terminal *terminal
	manager  *manager
	stops    chan os.Signal // those that ask for a stop, for the group
	begin    func()         // closes started
	started  chan struct{}  // closed when the program runs, or never will
	ended    chan struct{}  // closed when all is over

	cut      bool             // that it was has been said; observe's
	detached []syscall.Signal // that come because the terminal was given up, once each; forward's

	pgid  int // the process group that the program leads; 0 if it leads none, and before it runs
	mu    sync.Mutex
	asked syscall.Signal // what the program is sent at the soft stop
}

// Run runs the program to its end, with all signals that come from s.
func Run(c *Config, s *allsignals.Signals) End {
	r := &runner{Config: c, signals: s, stops: make(chan os.Signal, 3), started: make(chan struct{}), ended: make(chan struct{})}
	r.begin = sync.OnceFunc(func() { close(r.started) })
	r.Name = cmp.Or(r.Name, "lastcall run")
	lacks, err := process.Preflight()
	if err != nil {
		return End{Status: statusNoRun, Err: err}
	}
	for _, text := range lacks {
		r.say("%s", text)
	}
	process.ReserveThreads(processors)
	r.manager = newManager()
	defer r.manager.close()
	switch {
	case c.Kill == process.KillFamily, c.Kill == process.KillAll:
		process.Claim()
	case c.Subreaper, os.Getpid() == 1:
		process.Adopt()
	}
	process.Reap(func(exit process.Exit) { r.tell(event{kind: reaped, exit: exit}) })
	r.prepare()
	r.ignored = c.Inherit.of(s.Ignored())
	s.Ignore(r.ignored)
	var work sync.WaitGroup
	work.Go(r.forward)
	if r.terminal != nil && follows {
		work.Go(r.follow)
	}
	err = r.run()
	r.begin()
	close(r.ended)
	work.Wait()
	r.terminal.takeBack()
	if exit, ok := r.proc.Exit(); ok {
		r.tell(event{kind: ended, exit: exit})
	}
	end := c.endOf(&r.proc, err)
	if c.Report != nil {
		if err := timeline.WriteJSON(c.Report, r.group.Report()); err != nil && end.Err == nil {
			end.Err = err
		}
	}
	return end
}

// prepare fills in the process.
func (r *runner) prepare() {
	p := &r.proc
	p.Command = r.Command
	p.Stdin, p.Stdout, p.Stderr = os.Stdin, os.Stdout, os.Stderr
	p.Kill, p.Group = r.Kill, r.Group || r.Kill == process.KillGroup
	p.StopFor = func(error) []process.Step {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.Stop) > 0 || r.asked == 0 {
			return r.Stop
		}
		return []process.Step{{Signal: r.asked}}
	}
	p.InheritFiles, p.InheritIgnored, p.InheritSignals = true, true, r.Inherit == InheritAll
	if r.Root {
		p.Dir, p.Env = toRoot(), os.Environ() // without another PWD
	}
	p.OnStart = r.onStart
	p.Listen = inheritedSockets()
	switch {
	case r.Ready != nil:
		p.Ready = *r.Ready
		p.Notify = p.Ready.Notify
	case r.manager != nil:
		p.Notify = true
	}
	if p.Notify {
		p.OnNote = r.manager.pass
		p.Watchdog, p.WatchdogElsewhere = r.manager.watchdog(), true
	}
	p.Sys = new(syscall.SysProcAttr)
	switch {
	case r.ParentDeath > 0:
		setParentDeath(p.Sys, r.ParentDeath)
	case r.ParentDeath < 0:
		p.Outlive = true
	}
	if r.Session {
		p.Sys.Setsid = true
		if fd, left := leaveSession(); left {
			p.Sys.Setctty, p.Sys.Ctty = true, fd
			r.detached = []syscall.Signal{syscall.SIGHUP, syscall.SIGCONT}
			r.tell(event{kind: detached})
		}
		return
	}
	r.terminal = foreground(r.signals)
	if r.Shared || r.terminal != nil && !p.Group {
		p.Sys.Setpgid, p.Sys.Pgid = true, unix.Getpgrp()
	}
}

// run is the life of the program.
func (r *runner) run() error {
	if r.Forever {
		return r.proc.Run(context.Background())
	}
	r.group.Grace = r.Grace
	r.group.NoLabels = true
	r.group.Observe = r.report
	r.group.Add(worker(r.Command[0]), &r.proc, lastcall.Essential())
	return lastcall.Run(context.Background(), &r.group, lastcall.FromSignals(r.stops))
}

// worker is the name of a program in the group, where a slash separates a group from its workers.
func worker(program string) string {
	if name := filepath.Base(program); name != "/" {
		return name
	}
	return "program" // which is no such
}

// toRoot makes the root directory that of this process, and returns the one before; "" if that is not known.
func toRoot() string {
	dir, err := os.Getwd()
	if err != nil || os.Chdir("/") != nil {
		return ""
	}
	return dir
}

// onStart is called when the program runs.
func (r *runner) onStart(pid int) {
	r.signals.CatchAgain(r.ignored)
	r.tell(event{kind: spawned, exit: process.Exit{PID: pid}})
	pgid, _ := unix.Getpgid(pid) // it is there, at least as a zombie
	if pgid == pid {
		r.pgid = pgid
	}
	r.terminal.began(pgid)
	r.begin()
}

// forward hands on signals until all is over. Those that come before the program runs stay pending until it does.
func (r *runner) forward() {
	<-r.started
	for {
		sig, byKernel := r.signals.Next(r.ended)
		if sig == 0 {
			return
		}
		r.handle(sig, byKernel)
	}
}

// handle does with a signal what is to be done.
func (r *runner) handle(sig syscall.Signal, byKernel bool) {
	r.tell(event{kind: received, signal: sig})
	if i := slices.Index(r.detached, sig); i >= 0 {
		r.detached = slices.Delete(r.detached, i, i+1)
		r.tell(event{kind: handOff, signal: sig})
		return
	}
	if r.terminal.hasSent(sig, byKernel) {
		if !follows && slices.Contains(jobSignals, sig) {
			allsignals.Raise(syscall.SIGSTOP)
		}
		return
	}
	to, rewritten := r.Rewrite[sig]
	if !rewritten {
		to = sig
	}
	switch {
	case to == 0:
		r.tell(event{kind: dropped, signal: sig})
	case r.isStop(sig) && !r.Forever:
		r.mu.Lock()
		if r.asked == 0 {
			r.asked = to
		}
		r.mu.Unlock()
		select {
		case r.stops <- sig:
		default: // it has been asked often enough
		}
	default:
		r.send(to)
		r.tell(event{kind: forwarded, signal: to})
	}
	if r.HaltSelf && slices.Contains(jobSignals, sig) {
		r.tell(event{kind: halting})
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) // as the program; SIGCONT is handed on
	}
	if sig == syscall.SIGCONT { // the shell lets the job go on
		r.terminal.give()
	}
}

// isStop reports whether sig asks for a stop.
func (r *runner) isStop(sig syscall.Signal) bool {
	if to, ok := r.Rewrite[sig]; ok {
		if to == 0 {
			return false
		}
		if slices.Contains(stopSignals, to) {
			return true
		}
	}
	return slices.Contains(stopSignals, sig) || len(r.Stop) > 0 && sig == r.Stop[0].Signal
}

// send hands a signal to the program, or to its whole group.
func (r *runner) send(sig syscall.Signal) {
	if r.Group && r.pgid != 0 {
		_ = syscall.Kill(-r.pgid, sig)
		return
	}
	_ = r.proc.Signal(sig)
}

// report tells a person what the stop is waiting for, and the service manager that the program is ready.
func (r *runner) report(e lastcall.Event) {
	switch {
	case e.Kind == lastcall.EventState && e.State == lastcall.StateReady && e.Name != "":
		if !r.proc.Notify {
			r.manager.pass("READY=1\nMAINPID=" + strconv.Itoa(os.Getpid()))
		}
	case e.Kind == lastcall.EventState && e.State == lastcall.StateStopping && e.Name != "":
		if !r.proc.Notify {
			r.manager.pass("STOPPING=1")
		}
	case e.Kind == lastcall.EventState && e.State == lastcall.StateCut && e.Name != "":
		r.cut = true
		why := "the grace period is over"
		if cause := e.Cause; cause != nil && cause.Reason == lastcall.StopSignal {
			why = "a second signal came"
		}
		r.say("%s (pid %d): killed, since %s; the next signal ends lastcall at once", r.Command[0], r.proc.PID(), why)
	case e.Kind == lastcall.EventState && e.State.Ended() && e.Name != "":
		killed, left := (*process.ExitError)(nil), (*process.FamilyError)(nil)
		switch {
		case errors.As(e.Err, &left):
			r.say("%v", left)
		case errors.As(e.Err, &killed) && killed.Killed && !r.cut:
			r.say("%v", killed)
		}
	case e.Kind == lastcall.EventAwaiting && len(e.Awaited) > 0 && e.Awaited[0].State == lastcall.StateStopping:
		a := e.Awaited[0]
		status := ""
		if notes := r.proc.Notes(); notes.Status != "" {
			status = ", " + notes.Status
		}
		r.say("waiting for %s (pid %d, %v%s); the next signal kills it", a.Name, r.proc.PID(), a.For.Round(time.Second), status)
	}
}

// follow stops this process when the program stops as a job at a terminal, until all is over.
func (r *runner) follow() {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	defer signal.Stop(children)
	select {
	case <-r.ended:
		return
	case <-r.started:
	}
	for {
		if pid := r.proc.PID(); pid != 0 {
			if sig := halted(pid); sig != 0 {
				r.terminal.halt(sig)
			}
		}
		select {
		case <-r.ended:
			return
		case <-children:
		}
	}
}

// say is for what a person must know.
func (r *runner) say(format string, args ...any) {
	if !r.Quiet && r.Messages != nil {
		fmt.Fprintln(r.Messages, r.Name+":", text.Sentence(fmt.Sprintf(format, args...)))
	}
}
