package serve_test

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/serve"
)

// A server in a group: the stop comes while a request is under way.
func ExampleHTTP() {
	ctx, stop := context.WithCancel(context.Background())
	srv := &http.Server{
		Addr: "127.0.0.1:0",
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			stop()
			<-lastcall.LameDuck(r.Context())
			fmt.Fprintln(w, "still served, context:", r.Context().Err())
		}),
	}
	web := serve.HTTP(srv, nil)

	var group lastcall.Group
	group.Add("web", web)
	group.Go("client", func(ctx context.Context) error {
		resp, err := http.Get("http://" + web.Addr().String())
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		fmt.Print(string(body))
		fmt.Println("connection closes:", resp.Close)
		return err
	}, lastcall.After("web"))

	fmt.Println("stopped:", group.Run(ctx))
	// Output:
	// still served, context: <nil>
	// connection closes: true
	// stopped: <nil>
}

// A readiness endpoint on a separate server, which stops after the server that it reports on.
func ExampleReadiness() {
	var group lastcall.Group
	mux := http.NewServeMux()
	mux.Handle("GET /ready", serve.Readiness(&group))
	group.Add("admin", serve.HTTP(&http.Server{Addr: ":8081", Handler: mux}, nil))
	group.Add("web", serve.HTTP(&http.Server{Addr: ":8080"}, nil), lastcall.After("admin"))
	fmt.Println(group.Ready())
	// Output: lastcall: not started
}

// A socket that a supervisor holds is used if it was passed, so that no connection is refused between two instances.
func ExampleInherited() {
	ln, err := serve.Inherited("web")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("inherited:", ln != nil)

	var group lastcall.Group
	group.Add("web", serve.HTTP(&http.Server{Addr: ":8080"}, ln)) // listens on :8080 if ln is nil
	// Output: inherited: false
}
