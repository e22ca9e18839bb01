//go:build unix

// Command go is the corpus' daemons in Go: a small web server that stops well and, with -fault NAME, is broken in one way.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/serve"
)

// slowFor is how long /slow takes.
const slowFor = time.Second

// daemon is what a fault can break.
type daemon struct {
	listen   string
	admin    string
	lameDuck time.Duration

	group   lastcall.Group
	routes  map[string]http.HandlerFunc
	web     context.Context // of the worker that serves; it ends at the soft stop
	after   []string        // workers that must be ready before it
	exit    func(err error) // the end of main
	options []lastcall.RunOption
}

// faults make a daemon that is broken in one way; what they leave alone is done as in the healthy one.
var faults = map[string]func(*daemon){
	"": func(*daemon) {},

	// in place of the library, as it is often written by hand
	"shutdown":      (*daemon).shutdown,
	"close":         (*daemon).close,
	"storm-restart": (*daemon).stormRestart,
	"storm-panic":   (*daemon).stormPanic,
	"startup-panic": (*daemon).startupPanic,
	"no-handler":    (*daemon).noHandler,
	"resumes":       (*daemon).resumes,

	// beside it
	"poll":          (*daemon).poll,
	"exit-1":        (*daemon).exitOne,
	"panic":         (*daemon).panics,
	"ignores-term":  (*daemon).ignoresTerm,
	"no-int":        (*daemon).noInt,
	"cuts-body":     (*daemon).cutsBody,
	"busy":          (*daemon).busy,
	"turns-away":    (*daemon).turnsAway,
	"stays-green":   (*daemon).staysGreen,
	"refuses-first": (*daemon).refusesFirst,
	"sigpipe":       (*daemon).sigpipe,
	"orphan":        (*daemon).orphan,

	"reloads":     (*daemon).reloads,
	"reopens":     (*daemon).reopens,
	"logs":        (*daemon).logs,
	"buffers-log": (*daemon).buffersLog,

	"ends-streams":    (*daemon).endsStreams,
	"forgets-streams": (*daemon).forgetsStreams,
}

func main() {
	d := &daemon{exit: lastcall.Exit}
	flag.StringVar(&d.listen, "listen", "127.0.0.1:0", "`ADDRESS`")
	flag.DurationVar(&d.lameDuck, "lame-duck", 0, "serve on for this `TIME` after SIGTERM, no longer ready")
	flag.StringVar(&d.admin, "admin", "127.0.0.1:0", "`ADDRESS` of a second server, where there is one")
	name := flag.String("fault", "", "`NAME` of what is broken")
	flag.Parse()
	fault, ok := faults[*name]
	if !ok {
		fmt.Fprintf(os.Stderr, "no fault %q\n", *name)
		os.Exit(2)
	}
	d.routes = map[string]http.HandlerFunc{"/": d.hello, "/slow": d.slow, "/ready": serve.Readiness(&d.group).ServeHTTP}
	fault(d)
	d.group.LameDuck = d.lameDuck
	d.group.Go("web", func(ctx context.Context) error {
		d.web = ctx
		return serve.HTTP(d.server(), nil).Run(ctx)
	}, lastcall.AwaitReady(10*time.Second), lastcall.After(d.after...))
	d.exit(lastcall.Run(context.Background(), &d.group, d.options...))
}

// hello reads what comes with the request, and answers.
func (*daemon) hello(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		io.WriteString(w, "hello\n")
	}
}

// slow takes a while, for which a stop waits.
func (*daemon) slow(w http.ResponseWriter, r *http.Request) {
	lastcall.Sleep(r.Context(), slowFor)
	io.WriteString(w, "hello at last\n")
}

// server serves the routes.
func (d *daemon) server() *http.Server {
	mux := http.NewServeMux()
	for path, do := range d.routes {
		mux.HandleFunc(path, do)
	}
	return &http.Server{Addr: d.listen, Handler: mux}
}
