package pid1

import (
	"syscall"

	"github.com/lastcall-go/lastcall/internal/allsignals"
)

// Inherit is what a program inherits of the signals that this process was started with.
type Inherit uint8

const (
	// InheritHangup: SIGHUP stays ignored where nohup(1) had it ignored. Every other signal has its default action and none is blocked.
	InheritHangup Inherit = iota
	// InheritNothing: the default actions, and no signal blocked.
	InheritNothing
	// InheritAll: what was ignored and blocked stays so.
	InheritAll
)

// of are the ignored signals that the program is to ignore as well.
func (i Inherit) of(ignored allsignals.Set) allsignals.Set {
	switch i {
	case InheritAll:
		return ignored
	case InheritHangup:
		return ignored & allsignals.Of(syscall.SIGHUP)
	}
	return 0
}
