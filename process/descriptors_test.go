//go:build unix

package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// inheritingVariable makes the test binary a supervisor that was given a descriptor by its parent: the value says what its child is.
const inheritingVariable = "LASTCALL_TEST_INHERITING"

func init() {
	lives[inheritingVariable] = func(how string) {
		p := &Process{Command: []string{"/bin/sh", "-c", "for fd in 3 4 5 6; do (: <&$fd) 2>/dev/null && echo has $fd; done; echo end"}}
		if strings.Contains(how, "prepared") {
			p.Nice = 1
		}
		p.InheritFiles = strings.Contains(how, "inherit")
		if strings.Contains(how, "loop") {
			closeOnExecEach(firstFile)
		}
		if err := p.Run(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
}

// A child gets what is passed to it, and nothing that this process happens to have; a wrapper's has all.
func TestInheritedDescriptors(t *testing.T) {
	null, err := os.Open(os.DevNull)
	noError(t, err)
	defer null.Close()
	for how, want := range map[string]string{
		"plain": "end", "prepared": "end", "loop, inherit": "end",
		"inherit": "has 3 has 4 end", "inherit, prepared": "has 3 has 4 end",
	} {
		cmd := exec.Command(os.Args[0])
		cmd.Env, cmd.ExtraFiles = append(os.Environ(), inheritingVariable+"="+how, raceVariable), []*os.File{null, null}
		out, err := cmd.CombinedOutput()
		noError(t, err)
		if got := strings.Join(strings.Fields(string(out)), " "); got != want {
			t.Errorf("%s: %q, want %q", how, got, want)
		}
	}
}
