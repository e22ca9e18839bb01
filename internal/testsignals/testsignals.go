// Package testsignals makes tests independent of the signals that were ignored where they were started.
package testsignals

import (
	"os"
	"os/signal"
	"syscall"
)

// Default gives children of this process the default action of the signals that it inherited as ignored: SIGHUP under
// nohup, SIGINT in the background of a shell without job control. A TestMain calls it before its tests, and not where it
// is itself one of the children. A signal that is caught has its default action again after exec, so it is enough to
// catch it; this process does nothing with it, as if it were still ignored.
func Default() {
	for _, sig := range []os.Signal{syscall.SIGHUP, os.Interrupt} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
}
