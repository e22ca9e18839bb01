//go:build !unix

package pid1

import (
	"errors"
	"os"

	"github.com/lastcall-go/lastcall/internal/allsignals"
)

// An End is how it all ended.
type End struct {
	Status int
	Err    error
}

// Run runs nothing: child processes are not supported on this system.
func Run(*Config, *allsignals.Signals) End {
	return End{Status: 1, Err: errors.New("child processes are not supported on this system")}
}

// Exit ends this process.
func (e End) Exit() { os.Exit(e.Status) }

// event is nothing here.
type event struct{}

// Called runs nothing.
func Called(string, []string) (End, bool) { return End{}, false }
