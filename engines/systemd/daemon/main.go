//go:build linux

// Command daemon is what engines/systemd/run puts under systemd and lastcall: a daemon that speaks sd_notify(3) and takes its socket
// from LISTEN_FDS, and, as "daemon ask", its client, which never retries.
//
//	daemon [-stop 5s] [-extend] [-deaf] [-watchdog] [-late 1s]
//	daemon ask ADDRESS SECONDS
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/serve"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == "ask" {
		ask(os.Args[2], os.Args[3])
		return
	}
	late := flag.Duration("late", 0, "be ready so late")
	stop := flag.Duration("stop", 0, "take so long to stop")
	extend := flag.Bool("extend", false, "ask for time meanwhile")
	deaf := flag.Bool("deaf", false, "ignore SIGTERM")
	watchdog := flag.Bool("watchdog", false, "say that it is alive, until SIGUSR1")
	flag.Parse()

	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1)
	if os.Getenv("LISTEN_FDS") != "" {
		ln, err := net.FileListener(os.NewFile(3, "socket"))
		if err != nil {
			fail(err)
		}
		handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, os.Getpid()) })
		var group lastcall.Group
		group.Add("http", serve.HTTP(&http.Server{Handler: handler}, ln, serve.Held()))
		ctx, cancel := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- group.Run(ctx) }()
		defer func() {
			cancel()
			if err := <-served; err != nil {
				fail(err)
			}
		}()
	}
	time.Sleep(*late)
	say("READY=1\nSTATUS=serving")
	var alive <-chan time.Time
	if usec, _ := strconv.Atoi(os.Getenv("WATCHDOG_USEC")); *watchdog && usec > 0 {
		alive = time.Tick(time.Duration(usec) * time.Microsecond / 3)
	}
	for reloads := 0; ; {
		select {
		case <-alive:
			say("WATCHDOG=1")
		case s := <-signals:
			switch {
			case s == syscall.SIGHUP:
				reloads++
				var now unix.Timespec
				if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
					fail(err)
				}
				say(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/1000))
				say(fmt.Sprintf("READY=1\nSTATUS=reloaded %d", reloads))
			case s == syscall.SIGUSR1:
				alive = nil
			case !*deaf:
				for end := time.Now().Add(*stop); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
					if *extend {
						say("EXTEND_TIMEOUT_USEC=2000000")
					}
				}
				fmt.Println("stopped well")
				return
			}
		}
	}
}

// say tells the service manager.
func say(text string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	conn, err := net.Dial("unixgram", name)
	if err != nil {
		fail(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		fail(err)
	}
}

// ask opens a connection for each request, and counts what was not answered.
func ask(address, seconds string) {
	n, err := strconv.Atoi(seconds)
	if err != nil {
		fail(err)
	}
	asked, failed := 0, 0
	for end := time.Now().Add(time.Duration(n) * time.Second); time.Now().Before(end); asked++ {
		if err := once(address); err != nil {
			failed++
			fmt.Println(err)
		}
	}
	fmt.Printf("asked %d failed %d\n", asked, failed)
}

func once(address string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && len(answer) == 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "daemon:", err)
	os.Exit(1)
}
