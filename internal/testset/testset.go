// Package testset says how much the tests do.
//
// The default set, go test ./..., is what every change runs: it takes minutes on two processors, measures nothing against the
// clock, and depends on nothing that happens to be installed. The long set adds what takes longer or measures: whole
// corpora, hundreds of random plans with real processes, the check's own load. It runs where the environment has
// LASTCALL_CI=long, as .ci/run passes it on, and before a release.
package testset

import (
	"flag"
	"os"
	"testing"
)

// Long reports whether the long set runs.
func Long() bool { return os.Getenv("LASTCALL_CI") == "long" }

// OnlyLong skips a test that belongs to the long set, with the reason.
func OnlyLong(t testing.TB, why string) {
	t.Helper()
	if !Long() {
		t.Skipf("only in the long set (LASTCALL_CI=long): %s", why)
	}
}

// Of returns how many of n cases the test plays: few in the default set, and all in the long one. The log says so.
func Of(t testing.TB, few, n int) int {
	t.Helper()
	if Long() || few >= n {
		return n
	}
	t.Logf("%d of %d cases; LASTCALL_CI=long plays all", few, n)
	return few
}

// atOnce is how many tests run at the same time where they wait.
const atOnce = "8"

// TheyWait has the parallel tests of a package run eight at the same time, since they wait for processes rather than compute,
// unless go test -parallel says otherwise. A TestMain calls it before its tests.
func TheyWait() {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return
	}
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
}
