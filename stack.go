package lastcall

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/lastcall-go/lastcall/internal/text"
)

// Goroutines of workers carry a pprof label with the worker's path, which the goroutines that they start inherit. It shows in every
// goroutine profile. Its key is "worker" in the first run of a process, and tells apart the runs that come after: "worker.2".
const labelWorker = "worker"

var runs atomic.Int64

// nextLabel is a key that no other run of this process has.
func nextLabel() string {
	if n := runs.Add(1); n > 1 {
		return labelWorker + "." + strconv.FormatInt(n, 10)
	}
	return labelWorker
}

// withLabel is ctx with the label of the worker at path, for pprof.SetGoroutineLabels.
func withLabel(ctx context.Context, label, path string) context.Context {
	return pprof.WithLabels(ctx, pprof.Labels(label, path))
}

// goroutines finds the goroutines of one run, by the path of their worker, except those with certain functions on their
// stack. The goroutine profile in its text form is the one place where the runtime tells labels.
func goroutines(label string, except ...string) map[string]string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return nil
	}
	return parseGoroutines(&profile, label, except...)
}

// keptGoroutines are functions of the standard library that keep goroutines on purpose; see [Group].KeptGoroutines.
var keptGoroutines = []string{
	"net/http.(*persistConn).readLoop",
	"net/http.(*persistConn).writeLoop",
	"net/http.(*http2ClientConn).readLoop",
}

// parseGoroutines reads records such as
//
//	1 @ 0x44 0x55
//	# labels: {"worker":"shop/db"}
//	#	0x44	main.work+0x24	/src/main.go:12
//
// and returns the stacks of the records with that run's label, in the form of a Go traceback. The one goroutine of os/signal is
// the process's, though it carries the labels of who asked for a signal first.
func parseGoroutines(profile *bytes.Buffer, label string, except ...string) map[string]string {
	found := map[string]string{}
	worker := fmt.Sprintf("%q:", label)
	var number, path string
	var stack strings.Builder
	flush := func() {
		frames := stack.String()
		has := func(function string) bool { return strings.Contains(frames, "\t"+function+"\n") }
		if path != "" && !has("os/signal.loop") && !slices.ContainsFunc(except, has) {
			found[path] += frames
		}
		number, path = "", ""
		stack.Reset()
	}
	lines := bufio.NewScanner(profile)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "":
			flush()
		case strings.HasPrefix(line, "# labels: "):
			_, value, ok := strings.Cut(line, worker)
			if !ok {
				continue
			}
			if quoted, err := strconv.QuotedPrefix(value); err == nil {
				path, _ = strconv.Unquote(quoted)
			}
			n, err := strconv.Atoi(number)
			if err != nil {
				n = 1
			}
			fmt.Fprintf(&stack, "%s:\n", text.Count(n, "goroutine"))
		case strings.HasPrefix(line, "#\t"):
			if fields := strings.Split(line, "\t"); len(fields) >= 4 && path != "" {
				function, _, _ := strings.Cut(fields[2], "+0x")
				fmt.Fprintf(&stack, "\t%s\n\t\t%s\n", function, fields[len(fields)-1])
			}
		default:
			number, _, _ = strings.Cut(line, " @")
		}
	}
	flush()
	return found
}
