// Package allsignals catches every signal that can be caught, for a process that stands in for another: none is lost from [Catch] on, equal
// ones that are pending may merge (signal(7)), and what was ignored when the process started is known and can be passed on.
//
// Linux on amd64 and arm64 has a handler below the Go runtime (catch_linux.go). Other systems take what package os/signal gives
// (catch_other.go): neither SIGPROF nor SIGURG, which are the runtime's, nor real-time signals above 64, as FreeBSD has them up to 126, and
// nothing tells whether the kernel or a process sent a signal.
package allsignals

import "syscall"

// A Set is a set of signals, a bit each.
type Set uint64

// Has reports whether sig is in it.
func (s Set) Has(sig syscall.Signal) bool { return sig > 0 && sig <= 64 && s&(1<<(sig-1)) != 0 }

// Of is the set of these.
func Of(list ...syscall.Signal) (s Set) {
	for _, sig := range list {
		s |= 1 << (sig - 1)
	}
	return s
}

// each calls fn with every one of them.
func (s Set) each(fn func(syscall.Signal)) {
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if s.Has(sig) {
			fn(sig)
		}
	}
}
