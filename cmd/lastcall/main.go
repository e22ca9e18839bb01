// Command lastcall shows what the library does, and reads what it wrote.
//
//	lastcall check -- COMMAND [ARG...]       run a daemon many times, and say whether it stops well
//	lastcall config [-f FILE]                check a file of processes, and print it as it is understood
//	lastcall demo                            run a small service with customers, and stop it while it is busy
//	lastcall report FILE.json [--svg FILE]   show a report again, or draw it
//	lastcall run -- COMMAND [ARG...]         run one program as its init
//	lastcall version                         say what this is
//
// Exit status: 0 all went well, 1 something failed, 2 the command line or the file is wrong, 3 the start failed, 4 work was
// cut or a worker abandoned; a demo that is forced to end dies of the signal that forced it, and so does a check that is
// interrupted.
//
// Called as tini, docker-init or dumb-init it is that, see package internal/pid1.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/allsignals"
	"github.com/lastcall-go/lastcall/internal/pid1"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/text"
)

func main() {
	if end, ok := pid1.Called(os.Args[0], os.Args[1:]); ok {
		end.Exit()
	}
	var signals *allsignals.Signals
	if len(os.Args) > 1 && os.Args[1] == "run" {
		signals = allsignals.Catch() // before anything else: none may be lost
	}
	err := newRoot(signals).Execute()
	if wrong := (*config.Error)(nil); errors.As(err, &wrong) {
		fmt.Fprintln(os.Stderr, text.Lines(wrong.Error())) // a line each, for editors to jump to
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lastcall:", oneLine(err))
	}
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		os.Exit(2)
	}
	if own := (*statusError)(nil); errors.As(err, &own) {
		os.Exit(own.status)
	}
	if answer := (*control.Error)(nil); errors.As(err, &answer) {
		os.Exit(answer.ExitCode())
	}
	lastcall.Exit(err)
}

// oneLine is the error without line breaks, without what a terminal would obey, and without the name that main puts before it.
func oneLine(err error) string { return strings.TrimPrefix(text.Error(err), "lastcall: ") }
