//go:build linux && !amd64 && !arm64

package process

const sawEntry, entryMask, entryIgnored uint64 = 0, 0, 0
