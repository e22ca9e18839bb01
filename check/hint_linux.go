package check

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall/process"
)

// gracefulSignals are the signals with which well-known programs stop gracefully, where that is not SIGTERM: by the name of the executable. The
// sources are the programs' own manuals: nginx(8), httpd "stopping", lighttpd(8), haproxy's management guide, php-fpm(8), pg_ctl(1),
// pgbouncer(1), unicorn's SIGNALS.
var gracefulSignals = map[string]struct {
	name   string
	signal syscall.Signal
}{
	"nginx":     {"nginx", syscall.SIGQUIT},
	"apache2":   {"Apache", syscall.SIGWINCH},
	"httpd":     {"Apache", syscall.SIGWINCH},
	"lighttpd":  {"lighttpd", syscall.SIGINT},
	"haproxy":   {"haproxy", syscall.SIGUSR1},
	"php-fpm":   {"php-fpm", syscall.SIGQUIT},
	"postgres":  {"PostgreSQL", syscall.SIGINT},
	"pgbouncer": {"PgBouncer", syscall.SIGINT},
	"unicorn":   {"unicorn", syscall.SIGQUIT},
}

// hint is what an operator can try where a process loses something at the signal s: the signal that is its graceful stop, or those that it
// catches. It is "" if there is nothing to try.
func hint(pid int, s syscall.Signal) string {
	exe, _ := os.Readlink(procDir(pid) + "/exe")
	if says := wrapped(pid, path.Base(exe)); says != "" {
		return says
	}
	base := strings.TrimRight(path.Base(strings.TrimSuffix(exe, " (deleted)")), "0123456789.")
	if known, ok := gracefulSignals[base]; ok {
		if known.signal == s {
			return ""
		}
		short := strings.TrimPrefix(process.SignalName(known.signal), "SIG")
		return fmt.Sprintf("%s stops gracefully on SIG%s: try --signal %s, and set it where it runs (KillSignal=SIG%s, STOPSIGNAL, stop_signal).", known.name, short, short, short)
	}
	caught := signalMask(pid, "SigCgt")
	if _, maybe := catches(pid, s); maybe && caught&goRuntime == goRuntime {
		return "" // a Go program: its runtime catches all
	}
	var others []string
	for _, other := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH} {
		if other != s && caught&bit(other) != 0 {
			others = append(others, process.SignalName(other))
		}
	}
	if len(others) == 0 {
		return ""
	}
	return fmt.Sprintf("It handles %s as well: one of them may be its graceful stop (--signal).", strings.Join(others, ", "))
}

// shells are programs that start others, and forward no signal.
var shells = []string{"sh", "dash", "bash", "ash", "busybox", "ksh", "zsh"}

// wrapped is the advice for a daemon that runs below a shell or npm, "" if it does not.
func wrapped(pid int, exe string) string {
	procs := descendants(pid)
	i := slices.IndexFunc(procs, func(p proc) bool { return !p.Zombie })
	if i < 0 {
		return ""
	}
	command := commandLine(pid)
	switch {
	case slices.Contains(shells, exe):
		if catches, _ := catches(pid, syscall.SIGTERM); catches {
			return fmt.Sprintf("The daemon is %s, below a shell (%s) with a trap: a shell runs its trap only when the command in the foreground has ended. Start the command with & and wait for it, or signal the whole group (`lastcall run --group`, tini -g).", procs[i].Name, exe)
		}
		return fmt.Sprintf("The daemon is %s, below a shell (%s) that forwards no signal: begin the shell's last command with exec, or signal the whole group (`lastcall run --group`, tini -g).", procs[i].Name, exe)
	case exe == "node" && strings.Contains(command, "npm"):
		return fmt.Sprintf("The daemon is %s, below npm, which forwards no signal to a shell's children: run the program itself (node server.js).", procs[i].Name)
	}
	return ""
}
