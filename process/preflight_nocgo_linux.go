//go:build !cgo

package process

const cgoThreads = 0
