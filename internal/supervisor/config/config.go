// Package config reads what lastcall up is to run: lastcall.yaml, or a Procfile with its .env.
//
// It returns the file as understood: includes, profiles, defaults, variables and environment files are resolved,
// names and values are checked, paths are absolute. It is plain data: two processes are the same if reflect.DeepEqual says
// so; that is how a reload finds the changed ones. Nothing here starts or opens anything.
package config

import "time"

// DefaultName is the file that is looked for first; then come lastcall.yml and Procfile.
const DefaultName = "lastcall.yaml"

// File is everything that is to run.
type File struct {
	Path     string        `json:"path"`               // absolute
	Dir      string        `json:"dir"`                // of the file, where relative paths begin
	Name     string        `json:"name"`               // of the whole; the directory's name unless it says otherwise
	Sources  []string      `json:"sources"`            // every file that was read: itself, includes, environment files
	Grace    time.Duration `json:"grace"`              // 0 means lastcall.DefaultGrace
	LameDuck time.Duration `json:"lame_duck,omitzero"` // after SIGTERM: how long processes keep serving
	Exit     ExitRule      `json:"exit"`
	Socket   string        `json:"socket,omitempty"` // the control socket, or NoSocket; "" is the default place
	Log      Log           `json:"log,omitzero"`     // of the whole: format and times
	// Processes are those of the chosen profiles, in the order of the file.
	Processes []*Process `json:"processes"`

	warnings []Problem
	hidden   hidden
	hide     bool
}

// ExitRule says which end is the exit status of lastcall up. It is 0 if all stopped well on request.
type ExitRule string

// The rules.
const (
	ExitFirst     ExitRule = "first"     // the first process that failed
	ExitEssential ExitRule = "essential" // the first essential process that ended
	ExitWorst     ExitRule = "worst"     // the highest status of any
)

// Process is one program. All of it but Name and Command may be zero.
type Process struct {
	Name    string  `json:"name"`
	Command Command `json:"command"`
	Dir     string  `json:"dir"` // absolute, or with a ~ for the home of the user that it runs as
	// Description is for people who read the file or list the processes.
	Description string `json:"description,omitempty"`

	// Env is what the environment has besides that of lastcall itself: env_file, then env, in order.
	Env []string `json:"env,omitempty"`
	// Port is the PORT of the first instance, which is in Env; each further instance has one more. 0 is none.
	Port int `json:"port,omitempty"`
	// User is "name", "name:group" or numbers; "" is the user of lastcall.
	User string `json:"user,omitempty"`
	// TTY keeps it in the session of lastcall, with its terminal, also under another user.
	TTY bool `json:"tty,omitempty"`
	// NoNewPrivs keeps it from gaining rights; nil means that the file does not say, which is false.
	NoNewPrivs *bool `json:"no_new_privs,omitempty"`
	// Capabilities are all that it can ever have, by name and without CAP_; nil is as lastcall has them, empty is none.
	Capabilities []string `json:"capabilities,omitzero"`

	After     []string   `json:"after,omitempty"`     // of processes in the same file; Requires is not repeated here
	Requires  []string   `json:"requires,omitempty"`  // likewise; and restarts with them
	AfterEnd  []string   `json:"after_end,omitempty"` // it starts when these have ended, whatever their status
	Instances int        `json:"instances"`           // 0 starts none at first
	Listen    []Listener `json:"listen,omitempty"`

	Ready    Ready         `json:"ready,omitzero"`
	Liveness Check         `json:"liveness,omitzero"`
	Watchdog time.Duration `json:"watchdog,omitzero"`
	Notify   bool          `json:"notify,omitempty"` // NOTIFY_SOCKET is served also if ready says otherwise

	Stop     []Step   `json:"stop,omitempty"`    // nil is SIGTERM
	StopBy   *Command `json:"stop_by,omitempty"` // a command that comes before the signals
	Kill     string   `json:"kill"`              // family, group, process or all
	Within   Timeout  `json:"within,omitzero"`
	Restart  Restart  `json:"restart"`
	Oneshot  bool     `json:"oneshot,omitempty"`  // it is ready when it has exited with 0
	Schedule string   `json:"schedule,omitempty"` // five cron fields, @hourly or similar; it never runs twice at once
	Clean    []int    `json:"clean,omitempty"`    // exit codes besides 0 that are not a failure
	Reload   Reload   `json:"reload,omitzero"`    // zero: a reload replaces or restarts it
	Hooks    Hooks    `json:"hooks,omitzero"`     //
	Limits   Limits   `json:"limits,omitzero"`    //
	Umask    *int     `json:"umask,omitempty"`    //
	Priority int      `json:"priority,omitempty"` // nice: -20 to 19
	Outlive  bool     `json:"outlive,omitempty"`  // it keeps running when lastcall is killed
	OnExit   OnExit   `json:"on_exit"`            // what its end means for the others
	Watch    Watch    `json:"watch,omitzero"`     // a change of these files restarts it
	Profiles []string `json:"profiles,omitempty"` // it runs only if one of these is chosen
	Log      Log      `json:"log,omitzero"`
}

// OnExit is what the end of a process that is not started again means for the others.
type OnExit string

// What an end may mean.
const (
	OnExitFail      OnExit = "fail"      // the default: its failure stops everything, its completion does not
	OnExitContinue  OnExit = "continue"  // nothing: the others run on, also after a failure
	OnExitEssential OnExit = "essential" // any end stops everything; so it is for each process of a Procfile
)

// Command is a program with its arguments, or a line for the shell. A list in the file is executed directly, a string by
// the shell. Exactly one is set.
type Command struct {
	Args  []string `json:"args,omitempty"`
	Shell string   `json:"shell,omitempty"` // run as /bin/sh -c "exec …" where that is the same, else /bin/sh -c
}

// Listener is a socket that lastcall holds and every instance gets, with the protocol of sd_listen_fds(3).
type Listener struct {
	Name    string `json:"name"`    // in LISTEN_FDNAMES
	Network string `json:"network"` // tcp, tcp4, tcp6, udp, udp4, udp6, unix, unixgram or unixpacket
	Address string `json:"address"` // HOST:PORT or an absolute path
}

// Ready is how readiness is detected. At most one way is set.
type Ready struct {
	Notify bool          `json:"notify,omitempty"`
	FD     int           `json:"fd,omitempty"`
	TCP    string        `json:"tcp,omitempty"`
	HTTP   string        `json:"http,omitempty"`
	Log    string        `json:"log,omitempty"` // a regular expression
	Exec   *Command      `json:"exec,omitempty"`
	Delay  time.Duration `json:"delay,omitzero"`
	Within time.Duration `json:"within,omitzero"` // 0 means no limit
}

// Check is repeated while the process is ready. At most one way is set.
type Check struct {
	TCP      string        `json:"tcp,omitempty"`
	HTTP     string        `json:"http,omitempty"`
	Exec     *Command      `json:"exec,omitempty"`
	Every    time.Duration `json:"every,omitzero"`
	Within   time.Duration `json:"within,omitzero"`
	Failures int           `json:"failures,omitempty"`
}

// Step is one signal of a stop; Within is the time until the next.
type Step struct {
	Signal string        `json:"signal"` // SIGTERM, SIGRTMIN+3
	Within time.Duration `json:"within,omitzero"`
}

// Timeout bounds the whole stop of a process: stop: {within: …} in the file, or the sum of its steps.
type Timeout struct {
	Stop   time.Duration `json:"stop,omitzero"`   // 0: what the group gives
	Extend time.Duration `json:"extend,omitzero"` // how much more it may request with EXTEND_TIMEOUT_USEC; 0 the default, negative none
}

// Restart says when the process is started again: "never", "on-failure" or "always".
type Restart struct {
	When   string        `json:"when"`
	Delay  time.Duration `json:"delay,omitzero"`     // of the second restart in a row, the first comes at once; then it doubles
	Max    time.Duration `json:"max_delay,omitzero"` //
	Stable time.Duration `json:"stable,omitzero"`    // running this long resets the back-off
	Limit  int           `json:"limit,omitempty"`    // restarts within Window; 0 the default, negative none
	Window time.Duration `json:"window,omitzero"`
}

// Reload is how the process reloads its own configuration. At most one is set.
type Reload struct {
	Signal  string   `json:"signal,omitempty"`
	Command *Command `json:"command,omitempty"`
}

// Hooks are commands that run for the process, with its directory, environment and user.
type Hooks struct {
	BeforeStart *Command `json:"before_start,omitempty"` // a failure is a failure of the start
	AfterStop   *Command `json:"after_stop,omitempty"`   // after every end, with LASTCALL_EXIT_STATUS; a failure is only reported
}

// Limits bound each process of an instance; Pids, MemoryMax and CPUs bound all of its processes together.
type Limits struct {
	NoFile uint64        `json:"nofile,omitempty"`
	Core   *uint64       `json:"core,omitempty"`   // bytes; math.MaxUint64 is any
	Memory uint64        `json:"memory,omitempty"` // bytes
	CPU    time.Duration `json:"cpu,omitzero"`     // processor time, whole seconds
	NProc  uint64        `json:"nproc,omitempty"`  // processes and threads of its user in total

	Stack   *uint64 `json:"stack,omitempty"`   // bytes; math.MaxUint64 is any
	MemLock *uint64 `json:"memlock,omitempty"` // bytes; math.MaxUint64 is any

	Pids      uint64  `json:"pids,omitempty"`       // processes and threads
	MemoryMax uint64  `json:"memory_max,omitempty"` // bytes
	CPUs      float64 `json:"cpus,omitempty"`       // processors
}

// Watch names files and directories.
type Watch struct {
	Paths  []string `json:"paths,omitempty"`  // absolute
	Ignore []string `json:"ignore,omitempty"` // patterns of names, or of paths below a directory
}

// Log is where output goes. Of the whole file only Format and Times count; of a process the others.
type Log struct {
	Format  string `json:"format,omitempty"`  // auto, text or json; auto is text with colours on a terminal, text without in a pipe
	Times   string `json:"times,omitempty"`   // auto, none, time or full
	File    string `json:"file,omitempty"`    // absolute; in place of the common output
	Stderr  string `json:"stderr,omitempty"`  // absolute; of standard error, "" where it goes with the rest
	Rotate  int64  `json:"rotate,omitempty"`  // bytes; 0 never
	Keep    int    `json:"keep,omitempty"`    // old files
	Mode    int    `json:"mode,omitempty"`    // of the file; 0: a new one has 0644 less the umask, another keeps its own
	Owner   string `json:"owner,omitempty"`   // of the file: "name", "name:group" or numbers; "" leaves it
	None    bool   `json:"none,omitempty"`    // discarded
	Inherit bool   `json:"inherit,omitempty"` // the standard output and error of lastcall itself
}
