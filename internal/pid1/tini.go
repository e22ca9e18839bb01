//go:build unix

package pid1

import (
	_ "embed" // the usage
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall/internal/allsignals"
	"github.com/lastcall-go/lastcall/internal/getopt"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

// tiniVersion is the tini whose options and behaviour these are.
const tiniVersion = "0.19.0"

//go:embed tini.txt
var tiniUsage string

// tiniNotReaper is what tini says where orphans of the program do not become its children.
const tiniNotReaper = `Tini is not running as PID 1 and isn't registered as a child subreaper.
Zombie processes will not be re-parented to Tini, so zombie reaping won't work.
To fix the problem, use the -s option or set the environment variable TINI_SUBREAPER to register Tini as a child subreaper, or run Tini as PID 1.`

// tini does what tini does: it waits for the program however long that takes, and leaves alone what is left when it has ended.
func tini(args []string, s *allsignals.Signals) End {
	c := &Config{Name: "[tini]", Forever: true, Kill: process.KillProcess, ParentDeath: -1, Plain: true, Inherit: InheritAll, Messages: os.Stderr, Remap: map[int]int{}}
	_, c.Subreaper = os.LookupEnv("TINI_SUBREAPER")
	_, c.Group = os.LookupEnv("TINI_KILL_PROCESS_GROUP")
	verbosity, warnReaped := 1, false
	var death syscall.Signal
	var done *End
	exit := func(text string) {
		fmt.Print(text)
		done = &End{}
	}
	if len(args) == 1 && args[0] == "--version" {
		exit("tini version " + tiniVersion + " (lastcall)\n")
		return *done
	}
	rest, err := getopt.Parse(args, "hvgls"+"wp:e:", nil, func(letter byte, value string) error {
		switch letter {
		case 'h':
			exit(tiniUsage)
		case 'v':
			verbosity++
		case 'w':
			warnReaped = true
		case 'g':
			c.Group = true
		case 's':
			c.Subreaper = true
		case 'l':
			exit("lastcall is licensed under the Apache License 2.0.\n")
		case 'p':
			sig, err := process.ParseSignal(value)
			if err != nil || !strings.HasPrefix(value, "SIG") {
				return fmt.Errorf("Not a valid option for -p: %s", value) //nolint:staticcheck // as tini says it
			}
			death = sig
		case 'e':
			code, err := strconv.Atoi(value)
			if err != nil || code < 0 || code > 255 {
				return fmt.Errorf("Not a valid option for -e: %s", value) //nolint:staticcheck // as tini says it
			}
			c.Remap[code] = 0
		}
		return nil
	})
	switch {
	case done != nil:
		return *done
	case err != nil:
		return failed(1, "[FATAL tini (%d)] %v\n%s", os.Getpid(), err, tiniUsage)
	case len(rest) == 0:
		return failed(1, "%s", tiniUsage)
	case rest[0] == "":
		return failed(statusNotFound, "[FATAL tini (%d)] exec  failed: %s", os.Getpid(), errnoText(syscall.ENOENT))
	}
	c.Command = rest
	if text, ok := os.LookupEnv("TINI_VERBOSITY"); ok {
		verbosity, _ = strconv.Atoi(text)
	}
	warn := func(format string, args ...any) {
		if verbosity > 0 {
			fmt.Fprintf(os.Stderr, "[WARN  tini (%d)] "+format+"\n", append([]any{os.Getpid()}, args...)...)
		}
	}
	if death != 0 && !dieWithParent(death) {
		return failed(1, "[FATAL tini (%d)] Failed to set up parent death signal", os.Getpid())
	}
	if os.Getpid() != 1 && !c.Subreaper && !isSubreaper() {
		warn("%s", tiniNotReaper)
	}
	c.observe = func(e event) {
		if e.kind == reaped && warnReaped {
			warn("Reaped zombie process with pid=%d", e.exit.PID)
		}
		likeTini(e, rest[0], verbosity)
	}
	// Only the program is stopped by the terminal: tini itself does not heed it.
	end := Run(c, s)
	if end.Err != nil {
		e, why := errno(end.Err)
		fmt.Fprintf(os.Stderr, "[FATAL tini (%d)] exec %s failed: %s\n", os.Getpid(), text.Outside(rest[0]), why)
		end.Status = 1
		switch e {
		case syscall.ENOENT:
			end.Status = statusNotFound
		case syscall.EACCES:
			end.Status = statusNoRun
		}
	}
	return end
}

// likeTini says on standard output what tini says there, from two -v on.
func likeTini(e event, program string, verbosity int) {
	say := func(level int, name, format string, args ...any) {
		if verbosity >= level {
			fmt.Printf("[%-5s tini (%d)] "+format+"\n", append([]any{name, os.Getpid()}, args...)...)
		}
	}
	info := func(format string, args ...any) { say(2, "INFO", format, args...) }
	debug := func(format string, args ...any) { say(3, "DEBUG", format, args...) }
	switch e.kind {
	case spawned:
		info("Spawned child process '%s' with pid '%d'", text.Outside(program), e.exit.PID)
	case forwarded:
		debug("Passing signal: '%v'", e.signal)
	case reaped:
		debug("Reaped child with pid: '%d'", e.exit.PID)
	case ended:
		debug("Reaped child with pid: '%d'", e.exit.PID)
		if e.exit.Signal != 0 {
			info("Main child exited with signal (with signal '%v')", e.exit.Signal)
		} else {
			info("Main child exited normally (with status '%d')", e.exit.Code)
		}
	}
}
