//go:build unix

package supervisor

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/supervisor/output"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

// Supervisor runs the processes of a file.
type Supervisor struct {
	opts     Options
	mark     string // of all that it starts, see process.Process.Mark
	environ  []string
	out      *output.Mux
	group    lastcall.Group
	listener *control.Listener // nil without a control socket
	server   *control.Server
	manager  *manager

	asked context.Context         // ends when a client has asked for the soft stop
	stop  context.CancelCauseFunc // asks for it
	over  chan struct{}           // closed when all has ended; then err is how
	err   error

	filing chan struct{} // held by who reads the file again

	watches watches

	// mu guards what follows, and what says so in program and instance. It is held for looks and changes only, and never while the group, a
	// hook or a client is called: the group calls back, see replicas and observe. Methods that need it end in Locked. What changes the
	// instances of one process goes one after another by program.busy, and what changes which processes there are by filing, which comes first.
	mu        sync.Mutex
	file      *config.File
	chosen    map[string]bool // the processes that were asked for, nil for all
	sockets   *sockets
	programs  map[string]*program
	order     []*program           // that of the file
	names     map[string]*instance // by their own
	changed   chan struct{}        // closed at the next change; nil if nobody waits for one
	essential *int                 // the status of the first essential process that ended
}

// program is a process of the file with its instances.
type program struct {
	name string
	busy chan struct{} // held by who changes its instances

	// Guarded by Supervisor.mu.
	def       *definition
	count     int         // of instances that the file wants, as far as it has been applied; lastcall scale may have changed it since
	instances []*instance // by number
	interrupt context.CancelCauseFunc
}

// New reads the file, takes the control socket and opens the sockets. Nothing is started yet. Without an error Run is to be
// called.
func New(o Options) (*Supervisor, error) {
	lacks, err := process.Preflight()
	if err != nil {
		return nil, err
	}
	file, err := o.Load()
	if err != nil {
		return nil, err
	}
	if o.Interrupt == "" {
		o.Interrupt = "SIGTERM"
	}
	s := &Supervisor{
		opts: o, file: file, environ: environ(), sockets: newSockets(), programs: map[string]*program{}, names: map[string]*instance{},
		over: make(chan struct{}), filing: make(chan struct{}, 1),
	}
	s.asked, s.stop = context.WithCancelCause(context.Background())
	if s.chosen, err = chosen(file, o.Only); err != nil {
		return nil, err
	}
	defs, err := s.defineAll(s.wanted(file))
	if err != nil {
		return nil, err
	}
	missing, err := s.listen(cmp.Or(o.Socket, file.Socket))
	if err != nil {
		return nil, err
	}
	if err = errors.Join(s.begin(defs), s.watchFiles()); err != nil {
		s.close()
		return nil, err
	}
	if missing != nil {
		lacks = append(lacks, fmt.Sprintf("no control socket: %v; it runs without, and lastcall ps and the others cannot reach it", missing))
	}
	for _, text := range lacks {
		s.say("%s", text)
	}
	return s, nil
}

// listen takes the control socket at path; "" is the default place. Where that cannot be, as on a read-only file system, missing says why,
// and there is none.
func (s *Supervisor) listen(path string) (missing, err error) {
	s.mark = "up-" + rand.Text()
	if path == config.NoSocket {
		return nil, nil
	}
	byDefault := path == ""
	if byDefault {
		if path, err = control.Path(s.file.Path); err != nil {
			return nil, err
		}
	}
	s.listener, err = control.Listen(path, s.file.Path)
	switch {
	case err == nil:
		s.mark = "up-" + s.listener.ID // what bears it and is alive was left by one that had this place and is dead
	case byDefault && (errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOSPC)):
		return err, nil
	}
	return nil, err
}

// begin makes what Run runs.
func (s *Supervisor) begin(defs []*definition) error {
	for _, d := range defs {
		if err := s.sockets.open(d.Name, d.Listen); err != nil {
			return err
		}
	}
	width := 0
	var extra need
	for _, d := range defs {
		extra.add(d, d.Instances)
		width = max(width, len(d.instanceName(max(d.Instances, 1))))
	}
	if err := extra.fits(); err != nil {
		return err
	}
	var err error
	s.out, err = output.New(output.Options{
		Out: s.opts.Out, Format: cmp.Or(s.opts.Format, s.file.Log.Format), Times: s.file.Log.Times, Width: width,
		Failed: func(err error) {
			fmt.Fprintf(os.Stderr, "lastcall: standard output: %s; lines are lost until it can be written to\n", text.Error(err))
		},
	})
	if err != nil {
		return err
	}
	for _, d := range defs {
		if err := s.newProgram(d); err != nil {
			return err
		}
	}
	s.group.Grace = cmp.Or(s.opts.Grace, s.file.Grace)
	s.group.LameDuck = s.file.LameDuck
	s.group.NoLabels = true
	s.group.Observe = s.observe
	for _, p := range s.order {
		s.group.AddN(p.name, len(p.instances), s.replicas(p), s.options(p.def)...)
	}
	return nil
}

// newProgram makes a process with as many instances as the file wants, none of which is in the group yet.
func (s *Supervisor) newProgram(d *definition) error {
	p := &program{name: d.Name, def: d, count: d.Instances, busy: make(chan struct{}, 1)}
	var err error
	if p.instances, err = s.newInstances(d, freeNumbers(nil, p.count)); err != nil {
		return err
	}
	for _, i := range p.instances {
		s.names[i.name] = i
	}
	s.programs[d.Name] = p
	s.order = append(s.order, p)
	return nil
}

// Run runs everything under the process's signals, until all has ended. The error is that of lastcall.Run.
func (s *Supervisor) Run(ctx context.Context, signals <-chan os.Signal) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(s.asked, func() { stop(context.Cause(s.asked)) })()
	defer s.close()
	defer s.closeOutput(signals)
	if !s.endLeftovers(signals) {
		return nil
	}
	process.ReserveThreads(processors)
	process.Claim() // and reaps whatever comes to it, as PID 1 also before the first of its own
	s.manager = newManager()
	if s.listener != nil {
		s.server = control.Serve(s.listener, s)
	}
	s.err = lastcall.Run(ctx, &s.group, lastcall.FromSignals(signals), lastcall.OnReload(s.onReload))
	if errors.Is(s.err, lastcall.ErrAbandoned) {
		s.endAbandoned()
	}
	s.endStrays()
	close(s.over)
	s.manager.close()
	return s.err
}

// processors are enough to copy the output of any number of processes.
const processors = 4

// Report is what is known of the processes.
func (s *Supervisor) Report(context.Context) (lastcall.Report, error) { return s.group.Report(), nil }

// close gives back what New took.
func (s *Supervisor) close() {
	s.endWatches()
	if s.out != nil {
		s.out.Close(context.Background(), 0) // if New failed, else it is closed already
	}
	s.sockets.keep(nil)
	if s.server == nil {
		if s.listener != nil {
			s.listener.Close()
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.server.Close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "lastcall: a request was not answered to its end")
	}
}

// endAbandoned kills what the stop had no time left to kill, or to see die.
func (s *Supervisor) endAbandoned() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // nothing softly any more
	ended := make(chan []process.Relative, 1)
	go func() {
		list, _ := process.EndLeftovers(ctx, s.mark)
		ended <- list
	}()
	select {
	case list := <-ended:
		for _, r := range list {
			s.say("%s: killed in the end", r)
		}
	case <-time.After(lastKill):
	}
}

// endStrays ends the orphans of which nothing tells whose they are, and which no process had to itself, in what is left of the grace
// period.
func (s *Supervisor) endStrays() {
	list, spared := process.Strays()
	for _, r := range spared {
		s.say("%s: goes on, since it may belong to a process that is stopped with kill: group or process, or was there before", r)
	}
	if len(list) == 0 {
		return
	}
	for _, r := range list {
		s.say("%s: left behind, stopping it", r)
	}
	left := lastKill
	if began := s.group.Report().SoftStop; !began.IsZero() {
		left = max(left, time.Until(began.Add(cmp.Or(s.group.Grace, lastcall.DefaultGrace))))
	}
	ctx, cancel := context.WithTimeout(context.Background(), left)
	defer cancel()
	ended := make(chan []process.Relative, 1)
	go func() {
		list, _ := process.EndStrays(ctx)
		ended <- list
	}()
	select {
	case list := <-ended:
		rest := slices.DeleteFunc(list, func(r process.Relative) bool { return !r.Killed && !r.OutOfReach })
		if len(rest) > 0 {
			s.err = errors.Join(s.err, &process.FamilyError{Name: "lastcall", Rest: rest})
		}
	case <-time.After(left + lastKill):
		s.err = errors.Join(s.err, &process.FamilyError{Name: "lastcall", Rest: list})
	}
}

// lastKill is how long what is killed in the end may take to die. The system may hold it up.
const lastKill = time.Second

// endLeftovers ends what outlived an earlier supervisor that had the same socket. It reports whether to go on: no signal came.
func (s *Supervisor) endLeftovers(signals <-chan os.Signal) bool {
	if s.listener == nil || !s.listener.Replaced { // nothing was killed, and to look at every process of the machine takes its time
		return true
	}
	found, err := process.Leftovers(s.mark)
	if err != nil || len(found) == 0 {
		return true // or the system cannot tell
	}
	for _, r := range found {
		s.say("%s is left from an earlier lastcall up that was killed", r)
	}
	if s.opts.KeepLeftovers {
		return true
	}
	grace := cmp.Or(s.group.Grace, lastcall.DefaultGrace)
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	ended := make(chan []process.Relative, 1)
	go func() {
		list, _ := process.EndLeftovers(ctx, s.mark)
		ended <- list
	}()
	goOn := true
	for {
		select {
		case list := <-ended:
			for _, r := range list {
				s.say("%s: ended", r)
			}
			return goOn
		case sig := <-signals:
			if isStop(sig) {
				goOn = false
				cancel() // now they are killed
			}
		}
	}
}

// chosen are the processes with these names and what they depend on, nil for all.
func chosen(file *config.File, names []string) (map[string]bool, error) {
	if len(names) == 0 {
		return nil, nil
	}
	byName := map[string]*config.Process{}
	var known []string
	for _, p := range file.Processes {
		byName[p.Name] = p
		known = append(known, p.Name)
	}
	all := map[string]bool{}
	var choose func(name string)
	choose = func(name string) {
		if p := byName[name]; p != nil && !all[name] {
			all[name] = true
			for _, dep := range slices.Concat(p.After, p.Requires, p.AfterEnd) {
				choose(dep)
			}
		}
	}
	names, err := control.Match(names, known, "config")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if byName[name] == nil {
			return nil, control.Unknown(name, known, "config")
		}
		choose(name)
	}
	return all, nil
}

// wanted are the processes of a file that are to run.
func (s *Supervisor) wanted(file *config.File) (list []*config.Process) {
	for _, p := range file.Processes {
		if s.chosen == nil || s.chosen[p.Name] {
			list = append(list, p)
		}
	}
	return list
}

// defineAll makes processes of a file ready to run. Those that run already keep their names.
func (s *Supervisor) defineAll(list []*config.Process) (defs []*definition, err error) {
	for _, p := range list {
		numbered := p.Instances > 1
		s.mu.Lock()
		if running := s.programs[p.Name]; running != nil {
			numbered = running.def.numbered
		}
		s.mu.Unlock()
		d, err := define(p, numbered)
		if err != nil {
			return nil, err
		}
		defs = append(defs, d)
	}
	return defs, nil
}

// members are those of these processes that are in the group.
func (s *Supervisor) members(names []string) (members []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if s.programs[name] != nil {
			members = append(members, name)
		}
	}
	return members
}

// instance is the one with this name; nil if there is none.
func (s *Supervisor) instance(name string) *instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[name]
}
