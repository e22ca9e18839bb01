// Package identity lets a worker tell its group which process it runs, without a name in the public API.
package identity

import "context"

// Key is the key of a value of a worker's context that has a method SetPID(int).
type Key struct{}

// SetPID tells the group whose worker ctx belongs to that the worker runs this process; 0 is none any more. Outside a group it
// does nothing.
func SetPID(ctx context.Context, pid int) {
	if worker, ok := ctx.Value(Key{}).(interface{ SetPID(pid int) }); ok {
		worker.SetPID(pid)
	}
}
