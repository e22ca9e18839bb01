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
		for _, w := range group.Report().Workers {
			fmt.Printf("%s %s %s\n", w.Name, w.State, w.Leaks)
		}
		if err != nil {
			fmt.Println(err)
		}
	}
}

// What serves all processes is no leak of the first.
func TestNoLeaks(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), leaksVariable+"=yes", raceVariable)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	noError(t, err)
	if want := "child stopped \nstop stopped \n"; string(out) != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
}
