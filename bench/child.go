package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/bench/sample"
)

// childCommand is the hidden subcommand under which the benchmark runs itself, so that every sample has a process of
// its own.
const childCommand = "child"

// implementations are those that live in this program; peers have programs of their own.
var implementations = map[string]sample.Implementation{
	"hand":              handWorkers,
	"context":           contextWorkers,
	"lastcall-nolabels": lastcallWorkers(true),
	"lastcall":          lastcallWorkers(false),
	"lastcall-groups":   lastcallGroups(10),
}

// child is one run of the benchmark as its own subject.
func child(args []string) error {
	kind, variant, arg := args[0], "", ""
	if len(args) > 1 {
		variant = args[1]
	}
	if len(args) > 2 {
		arg = args[2]
	}
	switch kind {
	case "workers":
		implementation, n := implementations[variant], 0
		if _, err := fmt.Sscan(arg, &n); err != nil || implementation == nil {
			return fmt.Errorf("bad arguments %q", args)
		}
		return sample.Print(implementation, n)
	case "daemon":
		n, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		return daemonChild(variant, n)
	case "late":
		return lateChild(arg)
	case "serve":
		return serveChild(variant)
	case "rolling":
		return rollingChild()
	case "pid1":
		return pid1Child(variant, args[2:])
	}
	return fmt.Errorf("unknown child %q", kind)
}

// daemonChild is a daemon of n workers. It prints "ready PID" when all wait, and, when it was stopped, "told TIME", the
// moment on [monotonic] at which the last worker knew.
func daemonChild(variant string, n int) error {
	var arrived, told atomic.Int64
	ready := func() {
		if arrived.Add(1) == int64(n) {
			fmt.Printf("ready %d\n", os.Getpid())
		}
	}
	const period = 10 * time.Second // of the seed's workers
	var err error
	switch variant {
	case "hand":
		err = handDaemon(n, func(stop <-chan struct{}) {
			ready()
			<-stop
			told.Store(monotonic())
		})
	case "lastcall":
		err = lastcallDaemon(n, func(ctx context.Context) error {
			ready()
			<-ctx.Done()
			told.Store(monotonic())
			return nil
		})
	case "seed-hand":
		err = handDaemon(n, func(stop <-chan struct{}) {
			ready()
			for handTick(stop, period) {
			}
			told.Store(monotonic())
		})
	case "seed-lastcall":
		err = lastcallDaemon(n, func(ctx context.Context) error {
			ready()
			for lastcall.Sleep(ctx, period) == nil {
			}
			told.Store(monotonic())
			return nil
		})
	default:
		return fmt.Errorf("unknown daemon %q", variant)
	}
	fmt.Printf("told %d\n", told.Load())
	return err
}
