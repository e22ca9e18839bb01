// Command orders is a small service in three layers: a web server and a consumer that use a store.
package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/serve"
)

func main() {
	orders := make(chan string, 100)
	web := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case orders <- r.URL.Path: // from here on it is acknowledged
		case <-r.Context().Done():
			http.Error(w, "not taken", http.StatusServiceUnavailable)
		}
	})

	group := lastcall.Group{LameDuck: 2 * time.Second}
	group.Go("store", store, lastcall.AwaitReady(10*time.Second))
	group.Go("consumer", func(ctx context.Context) error {
		return lastcall.Drain(ctx, orders, pack) // packs every acknowledged order, also those that wait at the signal
	}, lastcall.After("store"))
	group.Add("web", serve.HTTP(&http.Server{Addr: "127.0.0.1:8080", Handler: web}, nil), lastcall.After("store", "consumer"))
	lastcall.Main(&group)
}

// store opens at once here, and closes when nothing uses it any more.
func store(ctx context.Context) error {
	lastcall.Ready(ctx)
	<-ctx.Done()
	return nil
}

// pack takes its time: ctx goes on until the hard stop.
func pack(ctx context.Context, order string) error {
	if err := lastcall.Sleep(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	fmt.Println("packed", order)
	return nil
}
