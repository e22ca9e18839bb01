package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// DefaultExtend is how much more time in all a child may ask for, at its start and at its stop, unless [Process].Extend
// says otherwise.
const DefaultExtend = 5 * time.Minute

// A Process is a child process as a lastcall.Worker. Command is all it needs; the fields are set before Run and not
// changed after. Run may be called again when it has returned, as a restart does, and not while it runs.
type Process struct {
	// Command is the program and its arguments. A name without a slash is looked up in the PATH of this process.
	Command []string
	// Dir is where it runs; "" means where this process does.
	Dir string
	// Env is its environment; nil means that of this process. Variables of protocols that are for one process only
	// (NOTIFY_SOCKET, LISTEN_FDS, WATCHDOG_USEC and their relatives) are replaced by the child's own, or left out.
	Env []string
	// Setenv is added to Env: a thousand children may share the one and differ in the other. Of a name that is there twice the
	// last holds.
	Setenv []string
	// Stdin nil is the null device. Stdout and Stderr nil are those of this process. An *os.File is handed to the child as
	// it is. To any other writer the output is copied, by a goroutine that holds no buffer while the child is silent.
	Stdin          *os.File
	Stdout, Stderr io.Writer

	// Stop is what the main process is sent at the soft stop, one after another; SIGCONT follows each. nil means
	// SIGTERM. When the last has had its time, comes SIGKILL.
	Stop []Step
	// StopFor, if set, is asked at the soft stop what to send in place of Stop; cause is the context.Cause of Run's context, a
	// *lastcall.StopCause in a group. nil means Stop. It is called once, from the goroutine of Run.
	StopFor func(cause error) []Step
	// Kill is how far the stop reaches; the zero value is the whole family.
	Kill Mode
	// Group sends the signals of the stop to the whole group of the main process at the same time, as [KillAll] does to the whole
	// family. Otherwise the others are stopped when the main process has ended.
	Group bool
	// Grace is its time from the first stop signal to SIGKILL, for the whole family, and never more than the group
	// gives; 0 means just that. The child finds what it will have in LASTCALL_GRACE, in seconds.
	Grace time.Duration
	// Extend is how much more than Grace or Ready.Within it may ask for in all with EXTEND_TIMEOUT_USEC; 0 means
	// DefaultExtend, negative means nothing. A stop never lasts longer than the group's grace period.
	Extend time.Duration

	// Ready is how one knows that it does what it is for; the zero value: as soon as the program runs.
	Ready Ready
	// Notify serves NOTIFY_SOCKET also where Ready is something else.
	Notify bool
	// OnNote, if set, is called with each message that the child sends to NOTIFY_SOCKET, as it is, one at a time. Until it returns, further
	// messages wait in the socket, and their senders when that is full.
	OnNote func(text string)
	// OnStart, if set, is called when the program runs, before anything else happens to it, from the goroutine of Run.
	OnStart func(pid int)
	// Watchdog is how often at least a child that is ready must send WATCHDOG=1; one that does not has failed. 0 means never.
	Watchdog time.Duration
	// WatchdogElsewhere leaves the judgement to the receiver of OnNote: the child learns of Watchdog, and silence is no failure here.
	WatchdogElsewhere bool
	// Alive is a check that is repeated once the child is ready; the zero value: none.
	Alive Alive
	// Listen are sockets for the child, at descriptors 3, 4, …, as systemd hands them over: LISTEN_FDS,
	// LISTEN_FDNAMES and LISTEN_PID. See the package's documentation for how LISTEN_PID comes right.
	Listen []Socket

	// Limits is what it may use; the zero value: as inherited.
	Limits Limits
	// Cgroup, unless nil, is a control group for it and its family: limits of all together, and a hard stop at one time.
	Cgroup *Cgroup
	// Umask is the mask of the modes of files that it makes, from 0 to 0777; nil means as inherited.
	Umask *int
	// Nice is its priority, from -20, the highest, to 19; 0 means as inherited. Who is not root can only lower it.
	Nice int

	// NoNewPrivs keeps it and its descendants from gaining rights by a set-user-ID program or one with capabilities, for good: see
	// PR_SET_NO_NEW_PRIVS in prctl(2), and PROC_NO_NEW_PRIVS_CTL in procctl(2) of FreeBSD. Elsewhere it is an error of the start.
	NoNewPrivs bool
	// Capabilities, unless nil, are all that it and its descendants can ever have: the bounding set, see capabilities(7). They are a
	// limit and give nothing to a user who has none. Empty means none. Only Linux has them; elsewhere they are an error of the start.
	Capabilities []Capability

	// Mark, if set, is in the environment of the whole family (LASTCALL_FAMILY): a word without colons by which
	// [Leftovers] finds who lives on after the sudden death of this process.
	Mark string

	// CleanCodes are exit codes besides 0 that are no failure.
	CleanCodes []int
	// Outlive lets the child live on when this process dies suddenly. Otherwise SIGKILL takes it along on Linux and
	// FreeBSD; Sys.Pdeathsig says which signal if it is to be another.
	Outlive bool
	// InheritFiles lets it have every descriptor that this process itself was given by its parent, as a wrapper does. Otherwise a child
	// gets the standard files, Listen and Ready.FD, and no others: before the first such child is started, all other descriptors of this
	// process that children would inherit are marked close-on-exec, once and for good.
	InheritFiles bool
	// InheritIgnored lets it ignore the signals that this process ignores. InheritSignals has those blocked and ignored that were when this
	// process started, as far as the Go runtime leaves that to be seen, or lastcall_entry saw it. Otherwise a child starts with the default
	// action of every signal and none of them blocked, whatever this process was started with: a shell starts its background jobs
	// with SIGINT ignored.
	InheritIgnored, InheritSignals bool
	// Sys is what else the start is to do. Unless it asks for a session or a group, the child leads a group of its own. One with another
	// user's Credential should have Setsid: in the session of this process it can push input into the terminal, see TIOCSTI in ioctl_tty(2).
	Sys *syscall.SysProcAttr

	of      *Process              // of which it is a control process; nil if it is not one
	on      *registry             // the families that it is one of; nil means those of this process
	current atomic.Pointer[child] // while Run runs
	last    atomic.Pointer[Exit]
	left    atomic.Pointer[[]Relative]
}

// A Step is one signal of a stop.
type Step struct {
	Signal syscall.Signal
	Within time.Duration // until the next step; 0, at the last: as long as there is time
}

// Mode is how far the stop of a child reaches.
type Mode uint8

const (
	// KillFamily: the main process, then its group, then its descendants that left group or session.
	KillFamily Mode = iota
	// KillGroup: the main process, then its group.
	KillGroup
	// KillProcess: the main process only.
	KillProcess
	// KillAll: the whole family, all of it at the same time.
	KillAll
)

var modeNames = [...]string{"family", "group", "process", "all"}

// String is the word for it in a configuration: "family", "group", "process" or "all".
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// MarshalText writes what String says.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads it.
func (m *Mode) UnmarshalText(text []byte) error {
	i := slices.Index(modeNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("kill is %q, and must be one of %s", text, strings.Join(modeNames[:], ", "))
	}
	*m = Mode(i)
	return nil
}

// A Socket is one that this process holds and its child serves.
type Socket struct {
	Name string // in LISTEN_FDNAMES; "" is "unknown", as systemd has it
	File *os.File
}

// ReadyWithin makes a group wait until the Process is ready, see [lastcall.AwaitReady]. It is without a limit, since Run sees to Ready.Within, which the
// child may extend.
func (p *Process) ReadyWithin() time.Duration { return 0 }

// Exit is how the main process ended last; ok is false before it has.
func (p *Process) Exit() (exit Exit, ok bool) {
	if last := p.last.Load(); last != nil {
		return *last, true
	}
	return Exit{}, false
}

// Relatives are the descendants that were still there when the main process of the last run that is over had ended, and how
// they ended; nil before.
func (p *Process) Relatives() []Relative {
	if left := p.left.Load(); left != nil {
		return *left
	}
	return nil
}

// name is what messages call the program.
func (p *Process) name() string {
	if len(p.Command) == 0 {
		return "process"
	}
	return p.Command[0]
}

// problems is what is wrong with the fields.
func (p *Process) problems() error {
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if len(p.Command) == 0 || p.Command[0] == "" {
		add("no command")
	}
	for i, step := range p.Stop {
		switch {
		case step.Signal <= 0:
			add("step %d of the stop has no signal", i+1)
		case step.Within < 0:
			add("step %d of the stop lasts %v, which is negative", i+1, step.Within)
		case step.Within == 0 && i < len(p.Stop)-1:
			add("step %d of the stop needs a time, since another follows", i+1)
		}
	}
	if int(p.Kill) >= len(modeNames) {
		add("%v is no way to stop", p.Kill)
	}
	for _, d := range []struct {
		name string
		d    time.Duration
	}{{"Grace", p.Grace}, {"Watchdog", p.Watchdog}, {"Ready.Within", p.Ready.Within}, {"Ready.Delay", p.Ready.Delay}, {"Alive.Every", p.Alive.Every}, {"Alive.Within", p.Alive.Within}} {
		if d.d < 0 {
			add("%s is %v, which is negative", d.name, d.d)
		}
	}
	p.Ready.problems(add)
	p.Alive.problems(add)
	if fd := p.Ready.FD; fd != 0 && (fd < 3+len(p.Listen) || fd > 255) {
		add("Ready.FD is %d, and must be between %d, behind the standard files and the sockets, and 255", fd, 3+len(p.Listen))
	}
	for i, s := range p.Listen {
		if s.File == nil {
			add("socket %d has no file", i+1)
		}
		if strings.Contains(s.Name, ":") {
			add("socket name %q has a colon, which separates names", s.Name)
		}
	}
	p.preparedProblems(add)
	if strings.ContainsAny(p.Mark, ":\x00") {
		add("Mark is %q, and must have no colon", p.Mark)
	}
	if len(list) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %s", p.name(), strings.Join(list, "; "))
}

// steps is Stop with its default.
func (p *Process) steps() []Step {
	if len(p.Stop) > 0 {
		return p.Stop
	}
	return []Step{{Signal: syscall.SIGTERM}}
}

// stepsFor is what the stop that the end of ctx asks for sends.
func (p *Process) stepsFor(ctx context.Context) []Step {
	if p.StopFor != nil && ctx.Err() != nil {
		if steps := p.StopFor(context.Cause(ctx)); len(steps) > 0 {
			return steps
		}
	}
	return p.steps()
}

func (p *Process) extend() time.Duration {
	switch {
	case p.Extend == 0:
		return DefaultExtend
	case p.Extend < 0:
		return 0
	}
	return p.Extend
}

// watched reports whether the child fails by silence.
func (p *Process) watched() bool { return p.Watchdog > 0 && !p.WatchdogElsewhere }

// served reports whether the child gets a NOTIFY_SOCKET.
func (p *Process) served() bool { return p.Notify || p.Ready.Notify || p.Watchdog > 0 }

// clean reports whether e, after the signals that were sent, is no failure. A program that handles a signal and then exits with
// 128 and its number, as every JVM does, ended of it.
func (p *Process) clean(e Exit, sent []syscall.Signal) bool {
	if e.Unknown {
		return len(sent) > 0
	}
	if e.Signal != 0 {
		return slices.Contains(sent, e.Signal)
	}
	return e.Code == 0 || slices.Contains(p.CleanCodes, e.Code) || slices.Contains(sent, syscall.Signal(e.Code-128))
}

var _ interface {
	Run(context.Context) error
	ReadyWithin() time.Duration
} = (*Process)(nil)
