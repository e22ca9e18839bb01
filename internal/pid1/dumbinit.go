//go:build unix

package pid1

import (
	_ "embed" // the usage
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall/internal/allsignals"
	"github.com/lastcall-go/lastcall/internal/getopt"
	"github.com/lastcall-go/lastcall/process"
)

// dumbInitVersion is the dumb-init whose options and behaviour these are.
const dumbInitVersion = "1.2.5"

//go:embed dumbinit.txt
var dumbInitUsage string

// lastClassic is the last signal that dumb-init hands on: it has no real-time signals.
const lastClassic = 31

// dumbInit does what dumb-init does: signals go to the session that the program leads, and when it has ended the rest of it gets
// SIGTERM and is left alone.
func dumbInit(args []string, s *allsignals.Signals) End {
	c := &Config{
		Name: "[dumb-init]", Forever: true, Kill: process.KillProcess, ParentDeath: -1, Plain: true, HaltSelf: true,
		Inherit: InheritNothing, Root: true, Messages: os.Stderr, Rewrite: map[syscall.Signal]syscall.Signal{},
	}
	c.Verbose = os.Getenv("DUMB_INIT_DEBUG") == "1"
	single := os.Getenv("DUMB_INIT_SETSID") == "0"
	var done *End
	long := map[string]byte{"help": 'h', "single-child": 'c', "rewrite": 'r', "verbose": 'v', "version": 'V'}
	rest, err := getopt.Parse(args, "hvVcr:", long, func(letter byte, value string) error {
		switch letter {
		case 'h':
			fmt.Fprint(os.Stderr, dumbInitUsage)
			done = &End{}
		case 'V':
			fmt.Fprintln(os.Stderr, "dumb-init v"+dumbInitVersion+" (lastcall)")
			done = &End{}
		case 'v':
			c.Verbose = true
		case 'c':
			single = true
		case 'r':
			from, to, ok := strings.Cut(value, ":")
			n, err := strconv.Atoi(from)
			m, err2 := strconv.Atoi(to)
			if !ok || err != nil || err2 != nil || n < 1 || n > lastClassic || m < 0 || m > lastClassic {
				return usageError(fmt.Sprintf("Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and %d.\nThis option can be specified multiple times.\nUse --help for full usage.", lastClassic)) // as dumb-init says it
			}
			c.Rewrite[syscall.Signal(n)] = syscall.Signal(m)
		}
		return nil
	})
	switch {
	case done != nil:
		return *done
	case errors.As(err, new(usageError)):
		return failed(1, "%v", err)
	case err != nil:
		return failed(1, "dumb-init: %v", err)
	case len(rest) == 0:
		return failed(1, "Usage: dumb-init [option] program [args]\nTry dumb-init --help for full usage.")
	case rest[0] == "":
		return failed(2, "[dumb-init] : %s", errnoText(syscall.ENOENT))
	}
	c.Command = rest
	c.Shared = single
	if !single {
		c.Session, c.Group = true, true
		for _, sig := range jobSignals {
			if _, ok := c.Rewrite[sig]; !ok { // the program's group has no shell above it that would let it go on: a plain one does nothing
				c.Rewrite[sig] = syscall.SIGSTOP
			}
		}
	}
	c.observe = c.likeDumbInit
	end := Run(c, s)
	if end.Err != nil {
		_, text := errno(end.Err)
		return failed(2, "[dumb-init] %s: %s", rest[0], text)
	}
	return end
}

// likeDumbInit says what dumb-init says, if it is to say anything, and tells the rest of the session when the program has ended.
func (c *Config) likeDumbInit(e event) {
	say := func(format string, args ...any) {
		if c.Verbose {
			fmt.Fprintf(c.Messages, "[dumb-init] "+format+"\n", args...)
		}
	}
	gone := func(exit process.Exit) {
		say("Received signal %d.", syscall.SIGCHLD)
		if exit.Signal != 0 {
			say("A child with PID %d was terminated by signal %d.", exit.PID, exit.Signal)
		} else {
			say("A child with PID %d exited with exit status %d.", exit.PID, exit.Code)
		}
	}
	switch e.kind {
	case detached:
		say("Detached from controlling tty, ignoring the first SIGHUP and SIGCONT we receive.")
	case spawned:
		if c.Session {
			say("setsid complete.")
		}
		say("Child spawned with PID %d.", e.exit.PID)
	case received:
		say("Received signal %d.", e.signal)
	case handOff:
		say("Ignoring tty hand-off signal %d.", e.signal)
	case forwarded:
		say("Forwarded signal %d to children.", e.signal)
	case dropped:
		say("Not forwarding signal %d to children (ignored).", e.signal)
	case halting:
		say("Suspending self due to TTY signal.")
	case reaped:
		gone(e.exit)
	case ended:
		gone(e.exit)
		to, rewritten := c.Rewrite[syscall.SIGTERM]
		if !rewritten {
			to = syscall.SIGTERM
		}
		if to == 0 {
			say("Not forwarding signal %d to children (ignored).", to)
		} else {
			if c.Session {
				_ = syscall.Kill(-e.exit.PID, to)
			}
			say("Forwarded signal %d to children.", to)
		}
		say("Child exited with status %d. Goodbye.", e.exit.Status())
	}
}

// usageError is said as it is, as dumb-init says it.
type usageError string

func (e usageError) Error() string { return string(e) }
