package process_test

import (
	"syscall"
	"testing"

	"github.com/lastcall-go/lastcall/process"
)

func TestParseSignal(t *testing.T) {
	for _, test := range []struct {
		text string
		want syscall.Signal
		name string
	}{
		{"TERM", syscall.SIGTERM, "SIGTERM"},
		{"SIGTERM", syscall.SIGTERM, "SIGTERM"},
		{"sigusr1", syscall.SIGUSR1, "SIGUSR1"},
		{"15", syscall.SIGTERM, "SIGTERM"},
		{"SIGRTMIN", 34, "SIGRTMIN"},
		{"SIGRTMIN+3", 37, "SIGRTMIN+3"},
		{"rtmax-1", 63, "SIGRTMIN+29"},
		{"RTMAX", 64, "SIGRTMIN+30"},
		{"64", 64, "SIGRTMIN+30"},
	} {
		got, err := process.ParseSignal(test.text)
		if err != nil || got != test.want || process.SignalName(got) != test.name {
			t.Errorf("%q is %d, %s, %v; want %d, %s", test.text, got, process.SignalName(got), err, test.want, test.name)
		}
	}
	for _, text := range []string{"", "SIG", "0", "-1", "32", "33", "65", "SIGTREM", "RTMIN-1", "RTMIN3", "RTMIN+", "RTMIN+31", "RTMAX+1", "RTMAX-99", "signal 15"} {
		if got, err := process.ParseSignal(text); err == nil {
			t.Errorf("%q is %d, want an error", text, got)
		}
	}
}
