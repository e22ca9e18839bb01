//go:build unix

package process

// slots bounds how many goroutines are in system calls for their children at one time. The runtime gives a thread to each that
// is in one for long, which on a busy machine any may be, and a thousand children may start or stop at once.
var slots = make(chan struct{}, 4)

// trampolines bounds how many children are this program once more at one time: they take memory, and may be halted.
var trampolines = make(chan struct{}, 4)

// outside calls fn, which waits for something, without the slot that the caller has.
func outside(fn func()) {
	<-slots
	fn()
	slots <- struct{}{}
}

// system calls fn in a slot. It must not wait for anything.
func system(fn func()) {
	slots <- struct{}{}
	fn()
	<-slots
}
