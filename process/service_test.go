//go:build unix

package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/lastcall-go/lastcall"
)

// leaksVariable makes the test binary one that runs and stops a child, and tells what its worker left behind.
const leaksVariable = "LASTCALL_TEST_LEAKS"

func init() {
	lives[leaksVariable] = func(string) {
		ctx, cancel := context.WithCancel(context.Background())
		group := &lastcall.Group{Grace: limit}
		group.Add("child", &Process{Command: []string{"sleep", "1000"}, Notify: true})
		group.Go("stop", func(context.Context) error { cancel(); return nil }, lastcall.After("child"))
		err := group.Run(ctx)
		leaks := ""
		for _, w := range group.Report().Workers {
			leaks += w.Leaks
		}
		fmt.Printf("%d workers, error %v, leaks %q", len(group.Report().Workers), err, leaks)
	}
}

// What serves all processes is no leak of the first.
func TestNoLeaks(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), leaksVariable+"=yes", raceVariable)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	noError(t, err)
	if want := `2 workers, error <nil>, leaks ""`; string(out) != want {
		t.Errorf("got %s, want %s", out, want)
	}
}
