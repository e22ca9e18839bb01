//go:build unix

package pid1

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall/process"
)

// dumbInitVersion is the dumb-init whose options and behaviour these are.
const dumbInitVersion = "1.2.5"

const dumbInitUsage = `lastcall, called as dumb-init (dumb-init v` + dumbInitVersion + `)

Usage: dumb-init [option] command [[arg] ...]

Runs a command, hands it every signal, reaps what others leave behind, and exits as it does.

Optional arguments:
   -c, --single-child   Run in single-child mode.
                        In this mode, signals are only proxied to the
                        direct child and not any of its descendants.
   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.
                        To ignore (not proxy) a signal, rewrite it to 0.
                        This option can be specified multiple times.
   -v, --verbose        Print debugging information to stderr.
   -h, --help           Print this help message and exit.
   -V, --version        Print the current version and exit.

With lastcall's own options, lastcall run does more: see lastcall run --help.
`

// lastClassic is the last signal that dumb-init hands on: it has no real-time signals.
const lastClassic = 31

// dumbInit does what dumb-init does: signals go to the session that the program leads, and when it has ended the rest of it gets
// SIGTERM and is left alone.
func dumbInit(args []string, s *Signals) End {
	c := &Config{
		Name: "[dumb-init]", Forever: true, Kill: process.KillProcess, ParentDeath: -1, Plain: true, HaltSelf: true,
		Messages: os.Stderr, Rewrite: map[syscall.Signal]syscall.Signal{},
	}
	c.Verbose = os.Getenv("DUMB_INIT_DEBUG") == "1"
	single := os.Getenv("DUMB_INIT_SETSID") == "0"
	var done *End
	long := map[string]byte{"help": 'h', "single-child": 'c', "rewrite": 'r', "verbose": 'v', "version": 'V'}
	rest, err := options(args, "hvVcr:", long, func(letter byte, value string) error {
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
		c.AfterMain = func(pgid int) { _ = syscall.Kill(-pgid, syscall.SIGTERM) }
	}
	end := Run(c, s)
	if end.Err != nil {
		_, text := errno(end.Err)
		return failed(2, "[dumb-init] %s: %s", rest[0], text)
	}
	return end
}

// usageError is said as it is, as dumb-init says it.
type usageError string

func (e usageError) Error() string { return string(e) }
