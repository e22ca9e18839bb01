// Command deferred keeps its deferred calls: lastcall.Main would exit without them.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/lastcall-go/lastcall"
)

func main() {
	os.Exit(lastcall.ExitCode(run())) // run ends with: return lastcall.Run(context.Background(), &group)
}

func run() error {
	var group lastcall.Group
	defer func() { fmt.Fprint(os.Stderr, group.Report()) }() // as Main does on a terminal
	defer fmt.Println("traces are flushed")
	group.Go("worker", func(ctx context.Context) error {
		fmt.Println("waiting for the stop")
		<-ctx.Done()
		return nil
	})
	return lastcall.Run(context.Background(), &group)
}
