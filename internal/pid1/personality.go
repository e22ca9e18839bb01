//go:build unix

package pid1

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall/internal/text"
)

// personalities are the programs in whose place this one can be put, by the name under which it is called.
var personalities = map[string]func(args []string, s *Signals) End{
	"tini": tini, "tini-static": tini, "docker-init": tini,
	"dumb-init": dumbInit,
}

// Called runs as the program with the name under which this one was called, and reports whether there is one.
func Called(argv0 string, args []string) (End, bool) {
	run := personalities[filepath.Base(argv0)]
	if run == nil {
		return End{}, false
	}
	return run(args, Catch()), true
}

// options reads a command line as getopt(3) does, up to the first argument that is no option. short has the letters, each
// with a colon behind it if it takes a value; long leads from a long option to its letter. set is called with each option.
func options(args []string, short string, long map[string]byte, set func(letter byte, value string) error) (rest []string, err error) {
	takes := func(letter byte) (value, known bool) {
		i := strings.IndexByte(short, letter)
		return i >= 0 && i+1 < len(short) && short[i+1] == ':', i >= 0 && letter != ':'
	}
	for len(args) > 0 {
		arg := args[0]
		if arg == "--" {
			return args[1:], nil
		}
		if len(arg) < 2 || arg[0] != '-' {
			break
		}
		args = args[1:]
		var letters, value string
		var has bool
		if name, ok := strings.CutPrefix(arg, "--"); ok {
			name, value, has = strings.Cut(name, "=")
			letter := long[name]
			if letter == 0 {
				return nil, fmt.Errorf("unrecognized option '--%s'", name)
			}
			letters = string(letter)
		} else {
			letters = arg[1:]
		}
		for len(letters) > 0 {
			letter := letters[0]
			letters = letters[1:]
			needs, known := takes(letter)
			switch {
			case !known:
				return nil, fmt.Errorf("invalid option -- '%c'", letter)
			case !needs && has:
				return nil, fmt.Errorf("option '%s' takes no value", arg)
			case !needs:
			case has:
			case letters != "":
				value, letters = letters, ""
			case len(args) > 0:
				value, args = args[0], args[1:]
			default:
				return nil, fmt.Errorf("option requires an argument -- '%c'", letter)
			}
			if err := set(letter, value); err != nil {
				return nil, err
			}
		}
	}
	return args, nil
}

// failed is the end of a command line that cannot be meant.
func failed(status int, format string, args ...any) End {
	fmt.Fprintln(os.Stderr, text.Lines(fmt.Sprintf(format, args...)))
	return End{Status: status}
}

// errno is the system's text for why a program could not be run, and its number.
func errno(err error) (syscall.Errno, string) {
	if e, ok := startErrno(err); ok {
		return e, errnoText(e)
	}
	return 0, err.Error()
}

func errnoText(e syscall.Errno) string {
	switch e {
	case unix.ENOENT:
		return "No such file or directory"
	case unix.EACCES:
		return "Permission denied"
	}
	return e.Error()
}
