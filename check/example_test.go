//go:build unix

package check_test

import (
	"context"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/check"
)

// A test of a daemon that a program of its own is for.
func ExampleDaemon() {
	test := func(t *testing.T) { // TestStopsWell
		check.Daemon(t, exec.Command("./shop", "-addr", "127.0.0.1:8080"), check.Check{URL: "http://127.0.0.1:8080/"})
	}
	_ = test
}

// A shell script that stops well, and waits for what happens instead of looking for it.
func ExampleCheck_Run() {
	c := &check.Check{
		Command: []string{"/bin/sh", "-c", `trap 'kill $!; wait; exit 0' TERM INT; sleep 3600 & wait`},
		Grace:   30 * time.Second,
		Only:    []string{"term", "int"},
	}
	report, err := c.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, result := range report.Results {
		fmt.Println(result.Scenario, result.Verdict)
	}
	fmt.Println("all in all:", report.Verdict())
	// Output:
	// term pass
	// int pass
	// all in all: pass
}

// A daemon that has no handler dies of the signal: whatever is under way is lost.
func ExampleReport_Verdict() {
	c := &check.Check{
		Command: []string{"/bin/sh", "-c", `echo up; exec sleep 3600`},
		Ready:   "log:^up$",
		Only:    []string{"term"},
	}
	report, err := c.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Verdict(), "-", report.Results[0].Summary)
	// Output:
	// fail - died of SIGTERM: it has no handler for it
}
