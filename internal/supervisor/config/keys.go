package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
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
}

// A draft is a process as it is read: with what is resolved only when all are known.
type draft struct {
	Process
	at        position
	keys      *node // its mapping
	files     []reference
	env       []string
	after     []reference
	requires  []reference
	essential *bool
	ports     []socket
}

// A reference is a name of something else, and where it stands.
type reference struct {
	name string
	at   position
}

// A socket is a listener, and where it stands.
type socket struct {
	Listener
	at position
}

// scalarTypes are the types of JSON that stand for text.
var scalarTypes = []string{"string", "number", "boolean"}

// documentKeys are the keys of a file. first says whether it is the first, and not an included one.
func documentKeys() *object {
	return &object{extra: "x-", keys: []*key{
		field("name", "", "Name of the whole, for messages and the control socket. The directory's name if left out.",
			nameText("a name"), func(d *document) *string { return &d.Name }),
		field("grace", "timeout graceful_timeout", "The grace period: from soft stop to hard stop, for everything. 25s if left out.",
			duration(false), func(d *document) *time.Duration { return &d.Grace }),
		field("lame_duck", "", "After SIGTERM serve on for so long, no longer ready, so that load balancers look away.",
			duration(true), func(d *document) *time.Duration { return &d.LameDuck }),
		field("exit", "", "Whose end is the exit status of lastcall up: that of the `first` process that failed (the default), that of the first `essential` process that ended, or the `worst` of all. It is 0 if all stopped well on request.",
			choice(ExitFirst, ExitEssential, ExitWorst), func(d *document) *ExitRule { return &d.Exit }),
		field("socket", "", "The control socket. A place in the user's runtime directory if left out.",
			path("a path"), func(d *document) *string { return &d.Socket }),
		field("log", "logging", "How output is written.", group[Log](outputKeys()), func(d *document) *Log { return &d.Log }),
		shorthand(field("env_file", "", "Files with variables for every process. A `-` before the name: it may be missing.",
			oneOrMore("files", references("a file")), func(d *document) *[]reference { return &d.files })),
		shorthand(field("env", "environment", "Variables for every process. They count for more than those of `env_file`.",
			variables(), func(d *document) *[]string { return &d.env })),
		shorthand(field("include", "includes extends files", "More files with processes, relative to this one; `*` and `?` stand for what they stand for in a shell. An included file has the keys `env`, `env_file`, `include` and `processes`, its paths begin at itself, and no process may be in two files.",
			oneOrMore("files", references("a file")), func(d *document) *[]reference { return &d.include })),
		field("processes", "services programs process service", "What runs: a mapping of names to processes, started in this order where nothing else is said.",
			processes(), func(d *document) *[]*draft { return &d.processes }),
	}}
}

// outputKeys are the keys of log of the whole.
func outputKeys() object {
	return object{keys: []*key{
		field("format", "", "`text`, `json` (one object a line), or `auto` (the default): text, with colours on a terminal.",
			choice("auto", "text", "json"), func(l *Log) *string { return &l.Format }),
		field("times", "timestamps", "What stands before each line: `time` of the day, `full` date and time, `none`, or `auto` (the default).",
			choice("auto", "none", "time", "full"), func(l *Log) *string { return &l.Times }),
	}}
}

// processKeys are the keys of a process.
func processKeys() object {
	return object{check: checks(checkProcess), keys: []*key{
		required(field("command", "cmd run exec program script entrypoint", "What runs. A list is executed as it is. A line is for `/bin/sh -c`, which expands its variables.",
			command(), func(d *draft) *Command { return &d.Command })),
		field("dir", "cwd directory working_dir workingdir workingdirectory chdir", "Where it runs. The directory of the file if left out.",
			path("a directory"), func(d *draft) *string { return &d.Dir }),
		field("user", "uid run-as runas", "As whom it runs: `name`, `name:group`, or numbers.",
			user(), func(d *draft) *string { return &d.User }),
		shorthand(field("env_file", "environmentfile envfile dotenv", "Files with variables. A `-` before the name: it may be missing.",
			oneOrMore("files", references("a file")), func(d *draft) *[]reference { return &d.files })),
		field("env", "environment vars", "Variables, as a mapping or a list of NAME=value. They count for more than those of `env_file`.",
			variables(), func(d *draft) *[]string { return &d.env }),
		field("port", "", "PORT in its environment: this in that of the first instance, one more in that of each further one. Each process of a Procfile has one.",
			number(1, math.MaxUint16), func(d *draft) *int { return &d.Port }),
		field("after", "depends_on dependson depends start-after depends-on", "It starts when these are ready, and stops before them.",
			oneOrMore("names", references("a name")), func(d *draft) *[]reference { return &d.after }),
		field("requires", "needs bindsto", "Likewise; and it is restarted when one of them is.",
			oneOrMore("names", references("a name")), func(d *draft) *[]reference { return &d.requires }),
		kept("instances", "replicas numprocs scale numprocesses count", "How many of it run, as NAME-1, NAME-2, … One, called NAME, if left out.",
			number(0, 10_000), func(d *draft) *int { return &d.Instances }, func(d *draft) bool { return d.Numbered }),
		field("listen", "ports sockets socket bind listenstream", "Sockets that lastcall holds and hands to every instance (LISTEN_FDS, as systemd does), so that none is refused during a restart. One address, or a mapping of names to addresses.",
			listeners(), func(d *draft) *[]socket { return &d.ports }),
		field("ready", "readiness readiness_probe healthcheck health_check notification-fd", "How one knows that it does what it is for. As soon as it runs if left out.",
			either(notifyWord(), group[Ready](readyKeys())), func(d *draft) *Ready { return &d.Ready }),
		field("liveness", "liveness_probe alive check checks", "A check that is repeated while it is ready; one that fails too often is a failure of the process.",
			group[Check](livenessKeys()), func(d *draft) *Check { return &d.Liveness }),
		field("watchdog", "watchdogsec", "It must say WATCHDOG=1 at NOTIFY_SOCKET so often at least; silence is a failure.",
			duration(false), func(d *draft) *time.Duration { return &d.Watchdog }),
		field("notify", "notifyaccess", "It is given a NOTIFY_SOCKET, also where `ready` says something else.",
			truth(), func(d *draft) *bool { return &d.Notify }),
		field("stop", "stop_signal stopsignal killsignal down-signal term-signal shutdown stop_grace_period stopwaitsecs", "How it is stopped softly: a signal, a list of steps, or a mapping. SIGTERM if left out, and SIGKILL when the time is over.",
			stop(), func(d *draft) *stopping { return (*stopping)(&d.Process) }),
		field("kill", "killmode kill_mode", "How far the stop reaches: the whole `family` of descendants (the default), the process `group`, or the `process` only.",
			choice("family", "group", "process"), func(d *draft) *string { return &d.Kill }),
		field("restart", "autorestart restart_policy availability on-failure", "When it is started again: `never` (the default), `on-failure` or `always`.",
			either(restartWord(), group[Restart](restartKeys())), func(d *draft) *Restart { return &d.Restart }),
		field("oneshot", "one_shot type", "It runs to its end, and is ready when it has exited with 0: what is after it waits for that.",
			truth(), func(d *draft) *bool { return &d.Oneshot }),
		field("schedule", "cron timer every oncalendar", "When it runs: five cron fields (minute, hour, day, month, day of the week), `@hourly` and its kin, or `@every 10m`; in local time, or that of `CRON_TZ=Europe/Berlin` before it. It never runs twice at once.",
			cronText(), func(d *draft) *string { return &d.Schedule }),
		field("clean", "exitcodes success_exit_status successexitstatus", "Exit codes besides 0 that are no failure.",
			oneOrMore("numbers", number(1, 255)), func(d *draft) *[]int { return &d.Clean }),
		field("reload", "execreload reload_signal", "How it is told to read its configuration: a signal, or a command. It is replaced or restarted if left out.",
			either(signalReload(), group[Reload](reloadKeys())), func(d *draft) *Reload { return &d.Reload }),
		field("hooks", "", "Commands that run for it, with its directory, environment and user.",
			group[Hooks](hookKeys()), func(d *draft) *Hooks { return &d.Hooks }),
		field("limits", "ulimits ulimit rlimits resources", "What each of its processes may use.",
			group[Limits](limitKeys()), func(d *draft) *Limits { return &d.Limits }),
		field("umask", "", "The mask of the modes of its files, in octal digits: 022.",
			pointerTo(umask()), func(d *draft) **int { return &d.Umask }),
		field("priority", "nice niceness", "Its priority: from -20, the highest, to 19.",
			number(-20, 19), func(d *draft) *int { return &d.Priority }),
		field("outlive", "detach daemon is_daemon", "It lives on when lastcall dies suddenly.",
			truth(), func(d *draft) *bool { return &d.Outlive }),
		field("on_exit", "on-exit on_failure exit_on_end", "What its end means for the others, once it is not started again: with `fail` (the default) its failure stops everything, with `continue` nothing does, with `essential` any end.",
			choice(OnExitFail, OnExitContinue, OnExitEssential), func(d *draft) *OnExit { return &d.OnExit }),
		shorthand(field("essential", "critical", "`true` is short for `on_exit: essential`.",
			pointerTo(truth()), func(d *draft) **bool { return &d.essential })),
		field("profiles", "profile", "It is left out unless one of these is chosen, with --profile or LASTCALL_PROFILES.",
			oneOrMore("names", nameText("a name")), func(d *draft) *[]string { return &d.Profiles }),
		field("log", "stdout logfile stdout_logfile log_location output", "Where its output goes: a file, `none`, or `inherit` (lastcall's own, as it is). With that of the others if left out.",
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
				r.wrongf(no.at, "notify: false is no way of being ready")
			}
		}),
		keys: []*key{
			field("notify", "", "It says READY=1 at NOTIFY_SOCKET, see sd_notify(3). `ready: notify` is short for it.", truth(), func(v *Ready) *bool { return &v.Notify }),
			field("fd", "notification-fd", "It writes a newline to this descriptor, as with s6.", number(3, 255), func(v *Ready) *int { return &v.FD }),
			field("tcp", "tcp_socket port", "Something accepts connections there. Without a host: on this machine.", tcpAddress(), func(v *Ready) *string { return &v.TCP }),
			field("http", "http_get url", "A GET is answered with a status from 200 to 399. Without a host: by this machine.", webAddress(), func(v *Ready) *string { return &v.HTTP }),
			field("log", "ready_log_line", "A line of its output matches.", expression(), func(v *Ready) *string { return &v.Log }),
			field("exec", "command cmd test", "A command exits with 0.", pointerTo(command()), func(v *Ready) **Command { return &v.Exec }),
			field("delay", "startsecs initial_delay_seconds sleep", "So much time has passed.", duration(false), func(v *Ready) *time.Duration { return &v.Delay }),
			field("within", "timeout timeout_seconds", "The time it has; one that is not ready by then has failed. No limit if left out. A `oneshot` can have it alone.", duration(false), func(v *Ready) *time.Duration { return &v.Within }),
		},
	}
}

func livenessKeys() object {
	return object{
		keys: []*key{
			field("tcp", "tcp_socket port", "Something accepts connections there. Without a host: on this machine.", tcpAddress(), func(v *Check) *string { return &v.TCP }),
			field("http", "http_get url", "A GET is answered with a status from 200 to 399. Without a host: by this machine.", webAddress(), func(v *Check) *string { return &v.HTTP }),
			field("exec", "command cmd test", "A command exits with 0.", pointerTo(command()), func(v *Check) **Command { return &v.Exec }),
			field("every", "interval period period_seconds", "The pause between two checks. 10s if left out.", duration(false), func(v *Check) *time.Duration { return &v.Every }),
			field("within", "timeout timeout_seconds", "The time that one has. 5s if left out.", duration(false), func(v *Check) *time.Duration { return &v.Within }),
			field("failures", "retries threshold failure_threshold", "So many in a row are a failure of the process. 3 if left out.", number(1, 1000), func(v *Check) *int { return &v.Failures }),
		},
		check: checks(func(r *reader, n *node, v *Check) { oneOf(r, n, "tcp", "http", "exec") }),
	}
}

func restartKeys() object {
	return object{
		keys: []*key{
			required(field("when", "policy restart", "`never`, `on-failure` or `always`.", choice("never", "on-failure", "always"), func(v *Restart) *string { return &v.When })),
			field("delay", "backoff backoff-delay backoff_seconds restartsec", "The pause before the second restart in a row; the first comes at once. It doubles each time. 100ms if left out.", duration(false), func(v *Restart) *time.Duration { return &v.Delay }),
			field("max_delay", "backoff-limit", "What the pause grows to. 30s if left out.", duration(false), func(v *Restart) *time.Duration { return &v.Max }),
			field("stable", "startsecs", "One that ran so long begins anew with the pauses. 1m if left out.", duration(false), func(v *Restart) *time.Duration { return &v.Stable }),
			field("limit", "retries max_restarts startretries startlimitburst", "More restarts than so many within `window` are a failure for good. 10 if left out, `none` for no limit.", orNone(number(1, math.MaxInt32), "none", -1), func(v *Restart) *int { return &v.Limit }),
			field("window", "startlimitintervalsec", "See `limit`. 1m if left out.", duration(false), func(v *Restart) *time.Duration { return &v.Window }),
		},
		check: checks(func(r *reader, n *node, v *Restart) {
			if v.When == "never" {
				for _, e := range n.entries {
					if e.key != "when" {
						r.wrongValue(e.at, fmt.Errorf("%s means nothing, since it is never restarted", e.key))
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
			field("signal", "", "A signal is sent to the main process.", signalName(), func(v *Reload) *string { return &v.Signal }),
			field("command", "cmd exec", "A command runs, with the environment of the process.", pointerTo(command()), func(v *Reload) **Command { return &v.Command }),
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
		field("core", "limitcore", "Size of a core dump; `unlimited` for any.", pointerTo(orNone(size(), "unlimited", math.MaxUint64)), func(v *Limits) **uint64 { return &v.Core }),
		field("memory", "limitdata limitas mem", "Memory of one process, where the system has such a limit.", atLeast(size(), 1, "a size above 0"), func(v *Limits) *uint64 { return &v.Memory }),
		field("cpu", "limitcpu", "Processor time of one process, in whole seconds.", wholeSeconds(), func(v *Limits) *time.Duration { return &v.CPU }),
	}}
}

func logKeys() object {
	return object{
		keys: []*key{
			required(field("file", "path filename", "The file.", path("a file"), func(v *Log) *string { return &v.File })),
			field("rotate", "max_size maxsize logfile-maxbytes stdout_logfile_maxbytes", "A new file is begun when this one is so large. Never if left out.",
				atLeast(convert(size(), func(v uint64) int64 { return int64(v) }, func(v int64) uint64 { return uint64(v) }), 1, "a size above 0"), func(v *Log) *int64 { return &v.Rotate }),
			kept("keep", "max_backups backups stdout_logfile_backups", "How many old files are kept. 5 if left out.",
				number(0, 10_000), func(v *Log) *int { return &v.Keep }, func(v *Log) bool { return v.Rotate > 0 }),
		},
		check: checks(func(r *reader, n *node, v *Log) {
			keep, rotate := n.get("keep"), n.get("rotate")
			switch {
			case keep != nil && rotate == nil:
				r.wrongf(keep.at, "there are no old files to keep without rotate")
			case keep == nil && rotate != nil:
				v.Keep = 5
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
				r.wrongf(e.at, "there are two ways, %s and %s, and there can be one", first, way)
				return
			}
			first = way
		}
	}
	if first == "" {
		r.wrongf(n.at, "it needs one of %s", list(ways, "and"))
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
		switch text, _ := substitute(n.text, r.variables); text {
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

// nameText is a name as processes have it.
func nameText(what string) *kind[string] {
	return single(what, func() schema { return pattern(`^[A-Za-z0-9_.][A-Za-z0-9_.-]*$`) },
		func(text string) (string, error) { return text, checkName(text) }, textNode)
}

// checkName says what is wrong with the name of a process or of a profile.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case name[0] == '-':
		return fmt.Errorf("the name %q begins with -", name)
	}
	for _, c := range name {
		if c >= 0x80 || !letter(byte(c)) && !digit(byte(c)) && !strings.ContainsRune("_.-", c) {
			return fmt.Errorf("there is %q in the name %q, and there can be letters, digits, _, . and -", c, name)
		}
	}
	return nil
}

// references is a name, with its position.
func references(what string) *kind[reference] {
	k := anyText(what)
	return &kind[reference]{form: k.form, read: func(r *reader, n *node, v *reference) {
		v.at = n.at
		k.read(r, n, &v.name)
	}, write: func(v reference) *node { return textNode(v.name) }}
}

// user is name or name:group.
func user() *kind[string] {
	return single("name, name:group, or numbers", func() schema { return schema{"type": scalarTypes} },
		func(text string) (string, error) {
			name, group, grouped := strings.Cut(text, ":")
			if name == "" || grouped && group == "" || strings.ContainsAny(text, " \t\n/") || strings.Contains(group, ":") {
				return "", fmt.Errorf("%q is not name or name:group", text)
			}
			return text, nil
		}, textNode)
}

// umask is octal digits, also where YAML sees a number in them.
func umask() *kind[int] {
	return single("octal digits such as 022", func() schema {
		return or(schema{"type": "integer", "minimum": 0, "maximum": 777}, pattern(`^(0o)?[0-7]{1,4}$`))
	}, func(text string) (int, error) {
		v, err := strconv.ParseUint(strings.TrimPrefix(text, "0o"), 8, 16)
		if err != nil || v > 0o777 {
			return 0, fmt.Errorf("%q is no mask of octal digits such as 022", text)
		}
		return int(v), nil
	}, func(v int) *node { return textNode(fmt.Sprintf("%03o", v)) })
}

// wholeSeconds is a duration without fractions of a second.
func wholeSeconds() *kind[time.Duration] {
	k := duration(false)
	read := k.read
	k.read = func(r *reader, n *node, v *time.Duration) {
		if read(r, n, v); *v%time.Second != 0 {
			r.wrongf(n.at, "%s is not whole seconds", durationText(*v))
		}
	}
	return k
}

// atLeast is a kind with a least value.
func atLeast[V int64 | uint64](k *kind[V], least V, what string) *kind[V] {
	read := k.read
	k.read = func(r *reader, n *node, v *V) {
		before := len(r.problems)
		if read(r, n, v); *v < least && len(r.problems) == before {
			r.wrongf(n.at, "it must be %s", what)
		}
	}
	return k
}

// listeners is one address, which is named after the process, or several with names.
func listeners() *kind[[]socket] {
	address := socketAddress()
	single := &kind[[]socket]{form: address.form, read: func(r *reader, n *node, v *[]socket) {
		s := socket{Listener{Name: r.process}, n.at}
		address.read(r, n, &s.Listener)
		*v = []socket{s}
	}, write: func([]socket) *node { return nil }}
	named := &kind[[]socket]{
		form: form{shape: mapping, words: "a mapping of names to addresses", schema: func() schema {
			return schema{"type": "object", "additionalProperties": address.schema()}
		}},
		read: func(r *reader, n *node, v *[]socket) {
			path := r.path
			for _, e := range n.entries {
				r.path = append(path[:len(path):len(path)], e.key)
				if err := checkName(e.key); err != nil {
					r.wrongValue(e.at, err)
				}
				s := socket{Listener{Name: e.key}, e.value.at}
				address.read(r, e.value, &s.Listener)
				*v = append(*v, s)
				r.path = path
			}
		},
		write: func(v []socket) *node {
			n := &node{kind: mapping}
			for _, s := range v {
				n.entries = append(n.entries, entry{key: s.Name, value: address.write(s.Listener)})
			}
			return n
		},
	}
	return either(single, named)
}

// processes is a mapping of names to processes.
func processes() *kind[[]*draft] {
	keys := processKeys()
	return &kind[[]*draft]{
		form: form{shape: mapping, words: "a mapping of names to processes", keys: keys.keys, schema: func() schema {
			return schema{
				"type":                 "object",
				"propertyNames":        schema{"pattern": `^[A-Za-z0-9_.][A-Za-z0-9_.-]*$`, "not": schema{"const": reserved}},
				"additionalProperties": objectSchema(&keys),
			}
		}},
		read: func(r *reader, n *node, v *[]*draft) {
			if !r.is(n, mapping, "a mapping of names to processes") {
				return
			}
			path := r.path
			r.path = nil
			for _, e := range n.entries {
				d := &draft{Process: Process{Name: e.key, Dir: n.at.file.dir, Instances: 1}, at: e.at, keys: e.value}
				r.process = e.key
				if err := checkName(e.key); err != nil {
					r.process = ""
					r.wrongValue(e.at, err)
					r.process = e.key
				} else if e.key == reserved {
					r.wrongf(e.at, "this name is what lastcall calls itself")
				}
				keys.read(r, e.value, d)
				*v = append(*v, d)
			}
			r.process, r.path = "", path
		},
		write: func(v []*draft) *node {
			n := &node{kind: mapping}
			for _, d := range v {
				n.entries = append(n.entries, entry{key: d.Name, value: keys.write(d)})
			}
			return n
		},
	}
}

// reserved is the name under which lastcall's own lines appear.
const reserved = "lastcall"

// checkProcess looks for keys of a process that contradict each other.
func checkProcess(r *reader, n *node, d *draft) {
	given := func(key string) *node { return n.get(key) }
	wrong := func(key, format string, args ...any) {
		for _, e := range n.entries {
			if e.key == key {
				r.wrongf(e.at, format, args...)
			}
		}
	}
	p := &d.Process
	for _, s := range d.ports {
		p.Listen = append(p.Listen, s.Listener)
	}
	switch {
	case d.essential == nil:
	case given("on_exit") != nil && *d.essential != (p.OnExit == OnExitEssential):
		wrong("essential", "essential: %t contradicts on_exit: %s", *d.essential, p.OnExit)
	case *d.essential:
		p.OnExit = OnExitEssential
	}
	p.Numbered = given("instances") != nil
	if p.OnExit == "" {
		p.OnExit = OnExitFail
	}
	if p.Kill == "" {
		p.Kill = "family"
	}
	if p.Restart.When == "" {
		p.Restart.When = "never"
	}
	if given("notify") != nil && !p.Notify && (p.Ready.Notify || p.Watchdog > 0) {
		wrong("notify", "notify: false contradicts %s, which needs it", map[bool]string{true: "ready: notify", false: "watchdog"}[p.Ready.Notify])
	}
	if least := 3 + len(p.Listen); p.Ready.FD != 0 && p.Ready.FD < least {
		wrong("ready", "the descriptor %d is that of a socket: take %d or more", p.Ready.FD, least)
	}
	if p.Port > 0 && indexOf(d.env, "PORT") >= 0 {
		wrong("port", "port contradicts PORT in env")
	}
	if !p.Oneshot && p.Ready == (Ready{Within: p.Ready.Within}) && p.Ready.Within > 0 {
		wrong("ready", "ready has a time but no way: it needs one of %s", list(readyWays, "and"))
	}
	if p.Oneshot {
		if p.Restart.When == "always" {
			wrong("oneshot", "oneshot contradicts restart: always, since it would never be over")
		}
		if p.Ready != (Ready{Within: p.Ready.Within}) {
			wrong("ready", "a oneshot is ready when it has exited with 0, and in no other way; within is how long that may take")
		}
		for _, key := range []string{"liveness", "watchdog", "schedule"} {
			if given(key) != nil {
				wrong(key, "%s means nothing for a oneshot, which is over when it is ready", key)
			}
		}
	}
	if p.Schedule != "" {
		if given("instances") != nil {
			wrong("instances", "a process with a schedule has one instance")
		}
		if p.Restart.When == "always" {
			wrong("restart", "restart: always contradicts the schedule")
		}
		if p.OnExit == OnExitEssential {
			key := "on_exit"
			if given(key) == nil {
				key = "essential"
			}
			wrong(key, "a process with a schedule cannot be essential, since it ends every time")
		}
	}
}
