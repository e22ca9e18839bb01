// Command lastcall shows what the library does, and reads what it wrote.
//
//	lastcall demo                            run a small service with customers, and stop it while it is busy
//	lastcall report FILE.json [--svg FILE]   show a report again, or draw it
//	lastcall version                         say what this is
//
// Exit status: 0 all went well, 1 something failed, 2 the command line is wrong, 3 the start failed, 4 work was cut or a
// worker abandoned; a demo that is forced to end dies of the signal that forced it.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lastcall-go/lastcall"
)

func main() {
	err := newRoot().Execute()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lastcall:", oneLine(err))
	}
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		os.Exit(2)
	}
	if own := (*statusError)(nil); errors.As(err, &own) {
		os.Exit(own.status)
	}
	lastcall.Exit(err)
}

// oneLine is the error without line breaks, and without the name that main puts before it.
func oneLine(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	return strings.TrimPrefix(text, "lastcall: ")
}
