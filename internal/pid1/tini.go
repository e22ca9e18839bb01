//go:build unix

package pid1

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

// tiniVersion is the tini whose options and behaviour these are.
const tiniVersion = "0.19.0"

const tiniUsage = `lastcall, called as tini (tini version ` + tiniVersion + `)

Usage: tini [OPTIONS] PROGRAM -- [ARGS] | --version

Runs PROGRAM, hands it every signal, reaps what others leave behind, and exits as it does.

  --version: Show version and exit.
  -h: Show this help message and exit.
  -s: Register as a process subreaper (requires Linux >= 3.4).
  -p SIGNAL: Trigger SIGNAL when parent dies, e.g. "-p SIGKILL".
  -v: Generate more verbose output. Repeat up to 3 times.
  -w: Accepted; that processes were reaped is not told.
  -g: Send signals to the child's process group.
  -e EXIT_CODE: Remap EXIT_CODE (from 0 to 255) to 0 (can be repeated).
  -l: Show license and exit.

Environment variables:
  TINI_SUBREAPER: Register as a process subreaper.
  TINI_VERBOSITY: Set the verbosity level (default: 1).
  TINI_KILL_PROCESS_GROUP: Send signals to the child's process group.

With lastcall's own options, lastcall run does more: see lastcall run --help.
`

// tini does what tini does: it waits for the program however long that takes, and leaves alone what is left when it has ended.
func tini(args []string, s *Signals) End {
	c := &Config{Name: "[tini]", Forever: true, Kill: process.KillProcess, ParentDeath: -1, Plain: true, Messages: os.Stderr, Remap: map[int]int{}}
	_, c.Subreaper = os.LookupEnv("TINI_SUBREAPER")
	_, c.Group = os.LookupEnv("TINI_KILL_PROCESS_GROUP")
	verbosity := 1
	if text, ok := os.LookupEnv("TINI_VERBOSITY"); ok {
		verbosity, _ = strconv.Atoi(text)
	}
	var done *End
	exit := func(text string) {
		fmt.Print(text)
		done = &End{}
	}
	if len(args) == 1 && args[0] == "--version" {
		exit("tini version " + tiniVersion + " (lastcall)\n")
		return *done
	}
	rest, err := options(args, "hvgls"+"wp:e:", nil, func(letter byte, value string) error {
		switch letter {
		case 'h':
			exit(tiniUsage)
		case 'v':
			verbosity++
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
			c.ParentDeath = sig
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
		return failed(1, "[FATAL tini] %v\n%s", err, tiniUsage)
	case len(rest) == 0:
		return failed(1, "%s", tiniUsage)
	}
	c.Command, c.Verbose = rest, verbosity > 2
	if verbosity > 0 && os.Getpid() != 1 && !c.Subreaper {
		fmt.Fprintln(os.Stderr, "[WARN  tini] not PID 1 and no subreaper: orphans of the program are not reaped here; see -s")
	}
	// Only the program is stopped by the terminal: tini itself does not heed it.
	end := Run(c, s)
	if end.Err != nil {
		e, why := errno(end.Err)
		fmt.Fprintf(os.Stderr, "[FATAL tini] exec %s failed: %s\n", text.Outside(rest[0]), why)
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
