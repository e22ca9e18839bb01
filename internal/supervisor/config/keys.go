package config

import (
	"fmt"
	"math"
	"time"
)

// A document is a file as it is read.
type document struct {
	File
	files     []reference // env_file
	env       []string
	include   []reference
	processes []*draft
	chain     []*source // the files that are being read, the first first

	lameDuckAt position
}

// documentKeys are the keys of a file.
func documentKeys() *object {
	return &object{extra: "x-", keys: []*key{
		field("name", "", "The project's name, for messages and the control socket. Default: the directory's name.",
			nameText("a name"), func(d *document) *string { return &d.Name }),
		field("grace", "timeout graceful_timeout", "The grace period: from the signal to the hard stop, for everything, `lame_duck` included. Default: 25s.",
			duration(false), func(d *document) *time.Duration { return &d.Grace }),
		located(field("lame_duck", "", "How long processes keep serving after SIGTERM, no longer ready, so that load balancers look away. Part of `grace`, and shorter.",
			duration(true), func(d *document) *time.Duration { return &d.LameDuck }), func(d *document) *position { return &d.lameDuckAt }),
		field("exit", "", "Which process determines the exit status of lastcall up: the `first` that failed (the default), the first `essential` one that ended, or the `worst` of all. It is 0 if all stopped well on request.",
			choice(ExitFirst, ExitEssential, ExitWorst), func(d *document) *ExitRule { return &d.Exit }),
		field("socket", "", "The control socket, or `none`. Default: a path in the user's runtime directory.",
			pathOr("a path or none", NoSocket), func(d *document) *string { return &d.Socket }),
		field("log", "logging", "How output is written.", group[Log](outputKeys()), func(d *document) *Log { return &d.Log }),
		shorthand(field("env_file", "", "Files with variables for every process. With a `-` before its name, a file may be missing.",
			oneOrMore("files", references("a file")), func(d *document) *[]reference { return &d.files })),
		shorthand(field("env", "environment", "Variables for every process. They override those of `env_file`.",
			variables(), func(d *document) *[]string { return &d.env })),
		shorthand(field("include", "includes extends files", "More files with processes, relative to this one; `*` and `?` are wildcards as in a shell. An included file has the keys `env`, `env_file`, `include` and `processes`. Its paths are relative to it. No process may be in two files.",
			oneOrMore("files", references("a file")), func(d *document) *[]reference { return &d.include })),
		field("processes", "services programs process service", "The processes: a mapping of names to processes, started in this order unless `after` says otherwise.",
			processes(), func(d *document) *[]*draft { return &d.processes }),
	}}
}

// outputKeys are the keys of log of the whole.
func outputKeys() object {
	return object{keys: []*key{
		field("format", "", "`text`, `json` (one object a line), or `auto` (the default): text, with colours on a terminal.",
			choice("auto", "text", "json"), func(l *Log) *string { return &l.Format }),
		field("times", "timestamps", "The prefix of each line: `time` of the day, `full` date and time, `none`, or `auto` (the default).",
			choice("auto", "none", "time", "full"), func(l *Log) *string { return &l.Times }),
	}}
}

// processKeys are the keys of a process.
func processKeys() object {
	return object{check: checks(checkProcess), keys: []*key{
		required(field("command", "cmd run exec program script entrypoint", "The program. A list is executed directly. A string runs in `/bin/sh -c`, which expands its variables.",
			command(), func(d *draft) *Command { return &d.Command })),
		field("description", "comment summary", "What the process does, in a few words. `lastcall ps --json` shows it.",
			anyText("text"), func(d *draft) *string { return &d.Description }),
		field("dir", "cwd directory working_dir workingdir workingdirectory chdir", "The working directory. `~` is the home of `user`, or of the user who runs lastcall. Default: the directory of the file.",
			directory(), func(d *draft) *string { return &d.Dir }),
		field("user", "uid run-as runas", "The user that runs it and everything that is started for it: `name`, `name:group`, or numbers.",
			user(), func(d *draft) *string { return &d.User }),
		field("tty", "stdin_open ttypath", "It stays in the session of lastcall, with its terminal, in the background: it can write to the terminal, and reading from it is an error. By default a process has its own session, without a terminal.",
			truth(), func(d *draft) *bool { return &d.TTY }),
		field("no_new_privs", "nonewprivileges no-new-privileges no_new_privileges", "It and its descendants gain no rights by a set-user-ID program (Linux, FreeBSD). Recommended for most processes with `user`. Default: false.",
			pointerTo(truth()), func(d *draft) **bool { return &d.NoNewPrivs }),
		field("capabilities", "capabilityboundingset cap_add cap_drop", "The capabilities that it and its descendants can ever have, such as `NET_BIND_SERVICE`, or `none` (Linux). A limit: it gives nothing to a user without capabilities. Default: all that lastcall has.",
			capabilities(), func(d *draft) *[]string { return &d.Capabilities }),
		shorthand(field("env_file", "environmentfile envfile dotenv", "Files with variables. With a `-` before its name, a file may be missing.",
			oneOrMore("files", references("a file")), func(d *draft) *[]reference { return &d.files })),
		field("env", "environment vars", "Variables, as a mapping or a list of NAME=value. They override those of `env_file`.",
			variables(), func(d *draft) *[]string { return &d.env }),
		field("port", "", "The variable PORT: this number for the first instance, one more for each further instance. A process of a Procfile always has one.",
			number(1, math.MaxUint16), func(d *draft) *int { return &d.Port }),
		field("after", "depends_on dependson depends start-after depends-on", "It starts when these are ready, and at the stop of all it stops before them. In a mapping such as `{ db: ready, import: ended }`, it starts when `import` has ended, whatever its exit status.",
			dependencies(), func(d *draft) *[]dependency { return &d.after }),
		field("requires", "needs bindsto", "As `after`; and it stops before one of these stops, and starts again with it.",
			oneOrMore("names", references("a name")), func(d *draft) *[]reference { return &d.requires }),
		kept("instances", "replicas numprocs scale numprocesses count", "How many instances run. One is called NAME, several NAME-1, NAME-2, … Default: one.",
			number(0, 10_000), func(d *draft) *int { return &d.Instances }, func(d *draft) bool { return d.Instances != 1 }),
		field("listen", "ports sockets socket bind listenstream", "Sockets that lastcall holds and passes to every instance (LISTEN_FDS, as systemd does), so that no connection is refused during a restart. One address, or a mapping of names to addresses.",
			listeners(), func(d *draft) *[]socket { return &d.ports }),
		field("ready", "readiness readiness_probe healthcheck health_check notification-fd", "How readiness is detected. Default: as soon as the process runs.",
			either(notifyWord(), group[Ready](readyKeys())), func(d *draft) *Ready { return &d.Ready }),
		field("liveness", "liveness_probe alive check checks", "A check that is repeated while the process is ready. If it fails too often, the process has failed.",
			group[Check](livenessKeys()), func(d *draft) *Check { return &d.Liveness }),
		field("watchdog", "watchdogsec", "The longest time between two WATCHDOG=1 messages on NOTIFY_SOCKET. A longer silence is a failure.",
			duration(false), func(d *draft) *time.Duration { return &d.Watchdog }),
		field("notify", "notifyaccess", "The process gets a NOTIFY_SOCKET, whatever `ready` is.",
			truth(), func(d *draft) *bool { return &d.Notify }),
		field("stop", "stop_signal stopsignal killsignal down-signal term-signal shutdown stop_grace_period stopwaitsecs", "The soft stop: a signal, a list of steps, or a mapping. Default: SIGTERM. SIGKILL follows when the time is over.",
			stop(), func(d *draft) *stopping { return (*stopping)(&d.Process) }),
		field("kill", "killmode kill_mode", "How far the stop reaches: the whole `family` of descendants (the default), the process `group`, or the `process` only; or `all` of the family at once.",
			choice("family", "group", "process", "all"), func(d *draft) *string { return &d.Kill }),
		field("restart", "autorestart restart_policy availability on-failure", "When it is started again: `never` (the default), `on-failure` or `always`.",
			either(restartWord(), group[Restart](restartKeys())), func(d *draft) *Restart { return &d.Restart }),
		field("oneshot", "one_shot type", "It runs to its end, and is ready when it has exited with 0; processes after it wait for that.",
			truth(), func(d *draft) *bool { return &d.Oneshot }),
		field("schedule", "cron timer every oncalendar", "When it runs: five cron fields (minute, hour, day, month, day of the week), `@hourly` and similar, or `@every 10m`; in local time, or with a prefix such as `CRON_TZ=Europe/Berlin`. It never runs twice at once.",
			cronText(), func(d *draft) *string { return &d.Schedule }),
		field("clean", "exitcodes success_exit_status successexitstatus", "Exit codes besides 0 that are not a failure.",
			oneOrMore("numbers", number(1, 255)), func(d *draft) *[]int { return &d.Clean }),
		field("reload", "execreload reload_signal", "How it reloads its configuration: a signal, or a command. Default: it is replaced or restarted.",
			either(signalReload(), group[Reload](reloadKeys())), func(d *draft) *Reload { return &d.Reload }),
		field("hooks", "", "Commands that run for it, with its user, directory, environment, umask, priority and limits.",
			group[Hooks](hookKeys()), func(d *draft) *Hooks { return &d.Hooks }),
		field("limits", "ulimits ulimit rlimits resources", "Resource limits of each of its processes; `pids`, `memory_max` and `cpus` are limits of an instance with all its processes.",
			group[Limits](limitKeys()), func(d *draft) *Limits { return &d.Limits }),
		field("umask", "", "The mask of the modes of its files, in octal digits: 022.",
			pointerTo(umask()), func(d *draft) **int { return &d.Umask }),
		field("priority", "nice niceness", "Its priority: from -20, the highest, to 19.",
			number(-20, 19), func(d *draft) *int { return &d.Priority }),
		field("outlive", "detach daemon is_daemon", "It keeps running when lastcall is killed.",
			truth(), func(d *draft) *bool { return &d.Outlive }),
		field("on_exit", "on-exit on_failure exit_on_end", "Whether its end stops the others, unless it is started again: only a failure does with `fail` (the default), none with `continue`, any end with `essential`.",
			choice(OnExitFail, OnExitContinue, OnExitEssential), func(d *draft) *OnExit { return &d.OnExit }),
		shorthand(field("essential", "critical", "`true` is short for `on_exit: essential`.",
			pointerTo(truth()), func(d *draft) **bool { return &d.essential })),
		field("watch", "watch_files develop watchdir", "Files and directories whose changes restart it.",
			watch(), func(d *draft) *Watch { return &d.Watch }),
		field("profiles", "profile", "It runs only if one of these profiles is chosen, with --profile or LASTCALL_PROFILES.",
			oneOrMore("names", nameText("a name")), func(d *draft) *[]string { return &d.Profiles }),
		field("log", "stdout logfile stdout_logfile log_location output", "Where its output goes: a file, `none`, or `inherit` (the output of lastcall itself, unchanged). Default: the common output, with the name before each line.",
			either(logWord(), group[Log](logKeys())), func(d *draft) *Log { return &d.Log }),
	}}
}

// readyWays are the keys of which there is one.
var readyWays = []string{"notify", "fd", "tcp", "http", "log", "exec", "delay"}

func readyKeys() object {
	return object{
		check: checks(func(r *reader, n *node, v *Ready) {
			if len(n.entries) == 1 && v.Within > 0 {
				return // enough for a oneshot
			}
			oneOf(r, n, readyWays...)
			if no := n.get("notify"); no != nil && !v.Notify {
				r.wrongf(no.at, "notify: false does not detect readiness: remove it")
			}
		}),
		keys: []*key{
			field("notify", "", "The process sends READY=1 to NOTIFY_SOCKET, see sd_notify(3). `ready: notify` is short for it.", truth(), func(v *Ready) *bool { return &v.Notify }),
			field("fd", "notification-fd", "The process writes a newline to this descriptor, as with s6.", number(3, 255), func(v *Ready) *int { return &v.FD }),
			field("tcp", "tcp_socket port", "The address accepts connections. Without a host: on this machine.", tcpAddress(), func(v *Ready) *string { return &v.TCP }),
			field("http", "http_get url", "A GET request is answered with a status from 200 to 399. Without a host: on this machine.", webAddress(), func(v *Ready) *string { return &v.HTTP }),
			field("log", "ready_log_line", "A line of its output matches.", expression(), func(v *Ready) *string { return &v.Log }),
			field("exec", "command cmd test", "A command exits with 0. It runs as the process does, with its user.", pointerTo(command()), func(v *Ready) **Command { return &v.Exec }),
			field("delay", "startsecs initial_delay_seconds sleep", "This time has passed.", duration(false), func(v *Ready) *time.Duration { return &v.Delay }),
			field("within", "timeout timeout_seconds", "The time limit; a process that is not ready by then has failed. Default: none. A `oneshot` can have it alone.", duration(false), func(v *Ready) *time.Duration { return &v.Within }),
		},
	}
}

func livenessKeys() object {
	return object{
		keys: []*key{
			field("tcp", "tcp_socket port", "The address accepts connections. Without a host: on this machine.", tcpAddress(), func(v *Check) *string { return &v.TCP }),
			field("http", "http_get url", "A GET request is answered with a status from 200 to 399. Without a host: on this machine.", webAddress(), func(v *Check) *string { return &v.HTTP }),
			field("exec", "command cmd test", "A command exits with 0. It runs as the process does, with its user, and is killed with all its children when its time is over.", pointerTo(command()), func(v *Check) **Command { return &v.Exec }),
			field("every", "interval period period_seconds", "The pause between two checks. Default: 10s.", duration(false), func(v *Check) *time.Duration { return &v.Every }),
			field("within", "timeout timeout_seconds", "The time limit of a check. Default: 5s.", duration(false), func(v *Check) *time.Duration { return &v.Within }),
			field("failures", "retries threshold failure_threshold", "How many failures in a row make the process fail. Default: 3.", number(1, 1000), func(v *Check) *int { return &v.Failures }),
		},
		check: checks(func(r *reader, n *node, v *Check) { oneOf(r, n, "tcp", "http", "exec") }),
	}
}

func restartKeys() object {
	return object{
		keys: []*key{
			required(field("when", "policy restart", "`never`, `on-failure` or `always`.", choice("never", "on-failure", "always"), func(v *Restart) *string { return &v.When })),
			field("delay", "backoff backoff-delay backoff_seconds restartsec", "The back-off before the second restart in a row; the first comes at once. It doubles each time, and each is shortened at random by up to a half. Default: 100ms.", duration(false), func(v *Restart) *time.Duration { return &v.Delay }),
			field("max_delay", "backoff-limit", "The longest back-off. Default: 30s.", duration(false), func(v *Restart) *time.Duration { return &v.Max }),
			field("stable", "startsecs", "Running this long resets the back-off. Default: 1m.", duration(false), func(v *Restart) *time.Duration { return &v.Stable }),
			field("limit", "retries max_restarts startretries startlimitburst", "More restarts than this within `window` make the process fail for good. Default: 10; `none` removes the limit.", orNone(number(1, math.MaxInt32), "none", -1), func(v *Restart) *int { return &v.Limit }),
			field("window", "startlimitintervalsec", "The time in which `limit` counts. Default: 1m.", duration(false), func(v *Restart) *time.Duration { return &v.Window }),
		},
		check: checks(func(r *reader, n *node, v *Restart) {
			if v.When == "never" {
				for _, e := range n.entries {
					if e.key != "when" {
						r.wrongValue(e.at, fmt.Errorf("%s has no effect, because the process is never restarted", e.key))
					}
				}
			}
			if v.Delay > 0 && v.Max > 0 && v.Delay > v.Max {
				r.wrongf(n.at, "delay (%s) is above max_delay (%s)", durationText(v.Delay), durationText(v.Max))
			}
		}),
	}
}

func reloadKeys() object {
	return object{
		keys: []*key{
			field("signal", "", "A signal is sent to the main process. With `ready: notify` the reload ends with RELOADING=1 and READY=1; for a program that sends neither use a command.", signalName(), func(v *Reload) *string { return &v.Signal }),
			field("command", "cmd exec", "A command runs as the process does, with LASTCALL_PID in its environment.", pointerTo(command()), func(v *Reload) **Command { return &v.Command }),
		},
		check: checks(func(r *reader, n *node, v *Reload) { oneOf(r, n, "signal", "command") }),
	}
}

func hookKeys() object {
	return object{keys: []*key{
		field("before_start", "pre_start prestart pre-start execstartpre", "Runs before every start; if it fails, the start has failed.", pointerTo(command()), func(v *Hooks) **Command { return &v.BeforeStart }),
		field("after_stop", "post_stop poststop post-stop execstoppost finish", "Runs after every end, with LASTCALL_EXIT_STATUS in its environment.", pointerTo(command()), func(v *Hooks) **Command { return &v.AfterStop }),
	}}
}

func limitKeys() object {
	return object{keys: []*key{
		field("nofile", "limitnofile minfds", "Open files.", convert(number(1, math.MaxInt32), func(v int) uint64 { return uint64(v) }, func(v uint64) int { return int(v) }), func(v *Limits) *uint64 { return &v.NoFile }),
		field("core", "limitcore", "Size of a core dump; `unlimited` removes the limit.", pointerTo(orNone(size(), "unlimited", math.MaxUint64)), func(v *Limits) **uint64 { return &v.Core }),
		field("memory", "limitdata limitas mem", "Memory of one process, if the system has such a limit.", atLeast(size(), 1, "a size above 0"), func(v *Limits) *uint64 { return &v.Memory }),
		field("cpu", "limitcpu", "Processor time of one process, in whole seconds.", wholeSeconds(), func(v *Limits) *time.Duration { return &v.CPU }),
		field("nproc", "limitnproc minprocs", "Processes and threads of its user in total, whatever started them. It does not bind root.", convert(number(1, math.MaxInt32), func(v int) uint64 { return uint64(v) }, func(v uint64) int { return int(v) }), func(v *Limits) *uint64 { return &v.NProc }),
		field("stack", "limitstack", "Size of the stack; `unlimited` removes the limit.", pointerTo(orNone(size(), "unlimited", math.MaxUint64)), func(v *Limits) **uint64 { return &v.Stack }),
		field("memlock", "limitmemlock", "Memory that a process may lock, if the system has such a limit; `unlimited` removes the limit.", pointerTo(orNone(size(), "unlimited", math.MaxUint64)), func(v *Limits) **uint64 { return &v.MemLock }),
		field("pids", "tasksmax pids_limit tasks", "Processes and threads of an instance in total, enforced by its own cgroup (Linux, cgroup v2).", convert(number(1, math.MaxInt32), func(v int) uint64 { return uint64(v) }, func(v uint64) int { return int(v) }), func(v *Limits) *uint64 { return &v.Pids }),
		field("memory_max", "memorymax mem_limit", "Memory of an instance in total, without swap space; see `pids`.", atLeast(size(), 1, "a size above 0"), func(v *Limits) *uint64 { return &v.MemoryMax }),
		field("cpus", "cpuquota", "Processors that an instance may use in total, such as 1.5; see `pids`.", processors(), func(v *Limits) *float64 { return &v.CPUs }),
	}}
}

func logKeys() object {
	return object{
		keys: []*key{
			field("file", "path filename", "The file for the output. With `stderr` alone, standard output goes to the common output.", path("a file"), func(v *Log) *string { return &v.File }),
			field("stderr", "stderr_logfile stderr_file error_file", "A separate file for standard error. Default: with standard output.", path("a file"), func(v *Log) *string { return &v.Stderr }),
			field("rotate", "max_size maxsize logfile-maxbytes stdout_logfile_maxbytes", "The size at which a new file is started. Default: never.",
				atLeast(convert(size(), func(v uint64) int64 { return int64(v) }, func(v int64) uint64 { return uint64(v) }), 1, "a size above 0"), func(v *Log) *int64 { return &v.Rotate }),
			kept("keep", "max_backups backups stdout_logfile_backups", "How many old files are kept. Default: 5.",
				number(0, 10_000), func(v *Log) *int { return &v.Keep }, func(v *Log) bool { return v.Rotate > 0 }),
			field("mode", "stdout_logfile_mode", "The file's mode, in octal digits: 0640. Default: 0644 less the umask for a new file; an existing file keeps its mode.",
				fileMode(), func(v *Log) *int { return &v.Mode }),
			field("owner", "", "The file's owner: `name`, `name:group`, or numbers. Default: root, or the process's `user` in a directory that is not root's.",
				user(), func(v *Log) *string { return &v.Owner }),
		},
		check: checks(func(r *reader, n *node, v *Log) {
			keep, rotate := n.get("keep"), n.get("rotate")
			switch {
			case keep != nil && rotate == nil:
				r.wrongf(keep.at, "keep has no effect without rotate")
			case keep == nil && rotate != nil:
				v.Keep = 5
			}
			if n.get("file") == nil && n.get("stderr") == nil {
				r.wrongf(n.at, "needs file, stderr or both")
			}
			if v.File != "" && v.File == v.Stderr {
				r.wrongf(n.get("stderr").at, "same as file: remove it")
			}
		}),
	}
}

// oneOf notes a problem unless exactly one of the keys is in the mapping.
func oneOf(r *reader, n *node, ways ...string) {
	first := ""
	for _, e := range n.entries {
		for _, way := range ways {
			if e.key != way {
				continue
			}
			if first != "" {
				r.wrongf(e.at, "%s and %s exclude each other", first, way)
				return
			}
			first = way
		}
	}
	if first == "" {
		of := "one of "
		if len(ways) == 2 {
			of = ""
		}
		r.wrongf(n.at, "needs %s%s", of, list(ways, "or"))
	}
}

// notifyWord is ready: notify.
func notifyWord() *kind[Ready] {
	k := choice("notify")
	return &kind[Ready]{form: k.form, read: func(r *reader, n *node, v *Ready) {
		word := ""
		k.read(r, n, &word)
		v.Notify = word != ""
	}, write: func(v Ready) *node {
		if v.Notify && v.Within == 0 {
			return textNode("notify")
		}
		return nil
	}}
}

// restartWord is restart: always.
func restartWord() *kind[Restart] {
	k := choice("never", "on-failure", "always")
	return &kind[Restart]{form: k.form, read: func(r *reader, n *node, v *Restart) { k.read(r, n, &v.When) }, write: func(v Restart) *node {
		if v == (Restart{When: v.When}) {
			return textNode(v.When)
		}
		return nil
	}}
}

// signalReload is reload: HUP.
func signalReload() *kind[Reload] {
	k := signalName()
	return &kind[Reload]{form: k.form, read: func(r *reader, n *node, v *Reload) { k.read(r, n, &v.Signal) }, write: func(v Reload) *node {
		if v.Signal == "" {
			return nil
		}
		return textNode(v.Signal)
	}}
}

// logWord is log: FILE, none or inherit.
func logWord() *kind[Log] {
	file := path("a file, none or inherit")
	return &kind[Log]{form: file.form, read: func(r *reader, n *node, v *Log) {
		switch text, _ := r.substitute(n.text); text {
		case "none":
			v.None = true
		case "inherit":
			v.Inherit = true
		default:
			file.read(r, n, &v.File)
		}
	}, write: func(v Log) *node {
		switch {
		case v.None:
			return textNode("none")
		case v.Inherit:
			return textNode("inherit")
		case v == Log{File: v.File}:
			return textNode(v.File)
		}
		return nil
	}}
}
