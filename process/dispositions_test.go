//go:build unix

package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// dispositionsVariable makes the test binary a supervisor that was started with signals ignored and blocked: the value says what of it
// its child inherits.
const dispositionsVariable = "LASTCALL_TEST_DISPOSITIONS"

func init() {
	lives[dispositionsVariable] = func(how string) {
		p := &Process{Command: []string{"grep", "^Sig[BI]", "/proc/self/status"}} // no Go program, which changes some
		p.InheritIgnored, p.InheritSignals = strings.Contains(how, "ignored"), strings.Contains(how, "signals")
		if strings.Contains(how, "prepared") {
			p.Nice = 1
		}
		if err := p.Run(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
}

// A child starts with the default action of every signal and none blocked, whatever this process was started with.
func TestDispositionsOfAChild(t *testing.T) {
	if runtime.GOOS != "linux" || exec.Command("env", "--ignore-signal=TTOU", "--block-signal=USR1", "true").Run() != nil {
		t.Skip("env of this system sets no signals")
	}
	for how, want := range map[string][2]uint64{ // blocked, ignored
		"plain": {0, 0}, "prepared": {0, 0}, "ignored": {0, 0x200003},
		"signals": {0x200, 0x200003}, "signals, prepared": {0x200, 0x200003}, "ignored, signals": {0x200, 0x200003},
	} {
		cmd := exec.Command("env", "--ignore-signal=HUP,INT,TTOU", "--block-signal=USR1", os.Args[0])
		cmd.Env = append(os.Environ(), dispositionsVariable+"="+how, raceVariable)
		out, err := cmd.CombinedOutput()
		noError(t, err)
		var got [2]uint64
		if n, _ := fmt.Sscanf(string(out), "SigBlk: %x\nSigIgn: %x", &got[0], &got[1]); n != 2 || got != want {
			t.Errorf("%s: %x, want %x\n%s", how, got, want, out)
		}
	}
}
