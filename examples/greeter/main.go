// Command greeter is the seed of lastcall: workers that greet and wait, and stop well on SIGTERM or Ctrl-C.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall"
)

func main() {
	var group lastcall.Group
	for _, name := range []string{"ada", "grace"} {
		group.Go(name, func(ctx context.Context) error {
			for ctx.Err() == nil {
				fmt.Println("hi from", lastcall.Name(ctx))
				lastcall.Sleep(ctx, 10*time.Second)
			}
			fmt.Println("goodbye from", lastcall.Name(ctx))
			return nil
		})
	}
	lastcall.Main(&group)
}
