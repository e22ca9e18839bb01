//go:build unix

package supervisor

import (
	"os"
	"slices"
	"strings"
)

// notPassedOn are variables that say what this lastcall up is to do. A lastcall that it runs would take them for its own: the nested
// one would be refused as a second one at the same socket, and a command meant for it would reach this one.
var notPassedOn = []string{"LASTCALL_SOCKET=", "LASTCALL_PROFILES="}

// environ is the environment that every process begins with.
func environ() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return slices.ContainsFunc(notPassedOn, func(name string) bool { return strings.HasPrefix(variable, name) })
	})
}
