// Command kid is kid.c in Go: what an init adds to a Go program's own start is measured with it, and it takes the C
// program's place where there is no C compiler, all but the modes that fork.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall/bench/board"
)

func main() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	if len(os.Args) != 3 {
		os.Exit(9)
	}
	b, err := board.Open(os.Args[2])
	if err != nil {
		os.Exit(9)
	}
	slot := b.Arrive(now())
	if slot == nil {
		os.Exit(9)
	}

	mode, arg, _ := strings.Cut(os.Args[1], ":")
	switch mode {
	case "wait", "ignore", "drain":
	case "exit":
		code := 0
		fmt.Sscan(arg, &code)
		time.Sleep(1200 * time.Millisecond)
		os.Exit(code)
	case "write":
		write(arg)
		slot.Finish(now())
	default:
		os.Exit(7)
	}
	for s := range signals {
		slot.Tell(now(), int(s.(syscall.Signal)))
		if mode != "ignore" {
			break
		}
	}
	if mode == "drain" {
		d, _ := time.ParseDuration(arg + "ms")
		time.Sleep(d)
		slot.Finish(now())
	}
}

func now() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}

func write(arg string) {
	var id, total int
	fmt.Sscanf(arg, "%d:%d", &id, &total)
	time.Sleep(500 * time.Millisecond)
	const length, lines = 100, 40
	for n := 0; n < total; {
		var text bytes.Buffer
		for i := 0; i < lines && n < total; i, n = i+1, n+1 {
			line := fmt.Sprintf("#%02d:%09d:", id, n)
			text.WriteString(line + strings.Repeat("x", length-2-len(line)) + ".\n")
		}
		if _, err := os.Stdout.Write(text.Bytes()); err != nil {
			os.Exit(8)
		}
	}
}
