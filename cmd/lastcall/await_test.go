package main

import (
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// awaitWithin is far more than anything takes that a script waits for.
const awaitWithin = 2 * time.Minute

// await FILE PATTERN [N] waits until the pattern is in the file N times, once if nothing is said: for what runs in the background with
// its output in a file.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: await FILE PATTERN [N]")
	}
	want := 1
	if len(args) == 3 {
		var err error
		want, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	file := ts.MkAbs(args[0])
	for limit := time.Now().Add(awaitWithin); ; time.Sleep(5 * time.Millisecond) {
		text, err := os.ReadFile(file)
		if err == nil && len(pattern.FindAll(text, want)) == want {
			return
		}
		if time.Now().After(limit) {
			ts.Fatalf("%s has no %d of %#q after %v:\n%s", args[0], want, args[1], awaitWithin, text)
		}
	}
}
