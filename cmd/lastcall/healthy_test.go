package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/serve"
)

// healthy is a web server that stops well, for lastcall run and up to run. It answers when the whole of a request has come.
func healthy() {
	listen := flag.String("listen", "127.0.0.1:0", "where, if no socket was passed")
	lameDuck := flag.Duration("lame-duck", 0, "how long to serve on, no longer ready")
	flag.Parse()
	group := lastcall.Group{LameDuck: *lameDuck}
	mux := http.NewServeMux()
	mux.Handle("GET /readyz", serve.Readiness(&group))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			fmt.Fprintln(w, "served")
		}
	})
	ln, err := serve.Inherited("http")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	group.Add("http", serve.HTTP(&http.Server{Addr: *listen, Handler: mux}, ln))
	lastcall.Main(&group)
}
