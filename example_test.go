package lastcall_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall"
)

// A group of two workers, stopped by a signal. The signals come from a channel here; without FromSignals they are the
// process's.
func Example() {
	signals := make(chan os.Signal, 1)
	var group lastcall.Group
	group.Go("db", func(ctx context.Context) error {
		fmt.Println("db: open")
		lastcall.Ready(ctx)
		<-ctx.Done()
		fmt.Println("db: closed")
		return nil
	}, lastcall.AwaitReady(time.Second))
	group.Go("web", func(ctx context.Context) error {
		fmt.Println("web: serving")
		signals <- syscall.SIGTERM
		<-ctx.Done()
		fmt.Println("web: told to stop:", context.Cause(ctx))
		return nil
	}, lastcall.After("db"))

	err := lastcall.Run(context.Background(), &group, lastcall.FromSignals(signals))
	fmt.Println("exit status", lastcall.ExitCode(err))
	// Output:
	// db: open
	// web: serving
	// web: told to stop: soft stop: SIGTERM
	// db: closed
	// exit status 0
}

// Work in flight runs under the grace context and survives the soft stop; new work is refused.
func ExampleDo() {
	var group lastcall.Group
	ctx, stop := context.WithCancel(context.Background())
	group.Go("worker", func(ctx context.Context) error {
		err := lastcall.Do(ctx, func(ctx context.Context) error {
			stop() // the soft stop begins in the middle
			time.Sleep(10 * time.Millisecond)
			fmt.Println("the work's context:", ctx.Err())
			return nil
		})
		fmt.Println("in flight:", err)
		<-ctx.Done()
		fmt.Println("new work refused:", errors.Is(lastcall.Do(ctx, nil), lastcall.ErrStopping))
		return nil
	})
	fmt.Println("group:", group.Run(ctx))
	// Output:
	// the work's context: <nil>
	// in flight: <nil>
	// new work refused: true
	// group: <nil>
}

// A consumer of a broker takes from it until the soft stop, and finishes what it took.
func ExampleEach() {
	messages := make(chan string, 3)
	messages <- "a"
	messages <- "b"
	ctx, stop := context.WithCancel(context.Background())
	var group lastcall.Group
	group.Go("consumer", func(ctx context.Context) error {
		take := func(ctx context.Context) (string, error) {
			select {
			case m := <-messages:
				return m, nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		return lastcall.Each(ctx, take, func(ctx context.Context, m string) error {
			if m == "b" {
				stop()
			}
			fmt.Println("handled", m, "under a context that is alive:", ctx.Err() == nil)
			return nil
		})
	})
	fmt.Println(group.Run(ctx))
	// Output:
	// handled a under a context that is alive: true
	// handled b under a context that is alive: true
	// <nil>
}

// A consumer of a channel handles what its producers, which stop before it, have put there.
func ExampleDrain() {
	orders := make(chan int, 10)
	ctx, stop := context.WithCancel(context.Background())
	var group lastcall.Group
	group.Go("packer", func(ctx context.Context) error {
		return lastcall.Drain(ctx, orders, func(ctx context.Context, order int) error {
			fmt.Println("packed", order)
			return lastcall.Sleep(ctx, time.Millisecond)
		})
	})
	group.Go("shop", func(ctx context.Context) error {
		for order := range 3 {
			orders <- order
		}
		stop() // the soft stop of the whole group: this worker is told first
		<-ctx.Done()
		return nil
	}, lastcall.After("packer"))
	fmt.Println(group.Run(ctx))
	// Output:
	// packed 0
	// packed 1
	// packed 2
	// <nil>
}

// A database is closed under grace, when all that use it have returned.
func ExampleCloser() {
	ctx, stop := context.WithCancel(context.Background())
	var group lastcall.Group
	group.Add("db", lastcall.Closer(func(ctx context.Context) error { // such as the Shutdown method of a tracer provider
		fmt.Println("db: closed, under a context that is alive:", ctx.Err() == nil)
		return nil
	}))
	group.Go("web", func(ctx context.Context) error {
		stop()
		<-ctx.Done()
		fmt.Println("web: returns")
		return nil
	}, lastcall.After("db"))
	fmt.Println(group.Run(ctx))
	// Output:
	// web: returns
	// db: closed, under a context that is alive: true
	// <nil>
}

// A worker that fails comes back after a back-off, and a permanent failure stops the group.
func ExampleRestart() {
	attempt := 0
	var group lastcall.Group
	group.Go("feed", func(ctx context.Context) error {
		attempt++
		if attempt < 3 {
			return errors.New("connection refused")
		}
		return lastcall.Permanent(errors.New("unknown account"))
	}, lastcall.Restart(lastcall.RestartPolicy{MinDelay: time.Millisecond}))
	fmt.Println(group.Run(context.Background()), "- after", attempt, "attempts")
	// Output:
	// feed: unknown account - after 3 attempts
}

// All mistakes are told at once, before anything starts.
func ExampleGroup_Run_badInput() {
	var group lastcall.Group
	wait := func(ctx context.Context) error { <-ctx.Done(); return nil }
	group.Go("web", wait, lastcall.After("app"))
	group.Go("app", wait, lastcall.After("web", "dbb"))
	err := group.Run(context.Background())
	for _, problem := range err.(*lastcall.ConfigError).Problems {
		fmt.Println(problem)
	}
	// Output:
	// worker "app" is to start after "dbb", which is not in the group
	// workers depend on each other: web → app → web
}
