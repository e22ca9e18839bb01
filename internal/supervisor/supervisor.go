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

// instance is the one with this name; nil if there is none.
func (s *Supervisor) instance(name string) *instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[name]
}
