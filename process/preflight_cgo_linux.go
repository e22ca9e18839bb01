//go:build cgo

package process

// cgoThreads is how many threads of the C library a program has at most, see roomSpace.
const cgoThreads = 8
