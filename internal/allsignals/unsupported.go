//go:build !unix

package allsignals

// Signals are those that can be caught: here none.
type Signals struct{}

// Catch catches nothing.
func Catch() *Signals { return nil }
