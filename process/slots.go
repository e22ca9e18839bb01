//go:build unix

package process

// slots bounds how many goroutines are in system calls for their children at one time. The runtime gives a thread to each that
// is in one for long, which on a busy machine any may be, and a thousand children may start or stop at once.
var slots = make(chan struct{}, 4)

// system calls fn in a slot. It must not wait for anything.
func system(fn func()) {
	slots <- struct{}{}
	fn()
	<-slots
}
