//go:build unix

package pid1

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall/internal/allsignals"
	"github.com/lastcall-go/lastcall/internal/text"
)

// personalities are the programs in whose place this one can be put, by the name under which it is called.
var personalities = map[string]func(args []string, s *allsignals.Signals) End{
	"tini": tini, "tini-static": tini, "docker-init": tini,
	"dumb-init": dumbInit,
}

// Called runs as the program with the name under which this one was called, and reports whether there is one.
func Called(argv0 string, args []string) (End, bool) {
	run := personalities[filepath.Base(argv0)]
	if run == nil {
		return End{}, false
	}
	return run(args, allsignals.Catch()), true
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
