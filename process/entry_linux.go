//go:build linux && (amd64 || arm64)

package process

// What lastcall_entry (entry_linux_*.s) saw before the Go runtime began: sawEntry is 0 where it is not the program's entry point.
//
//nolint:unused // the assembly uses them
var (
	sawEntry     uint64
	entryMask    uint64
	entryIgnored uint64
	entryAction  [8]uintptr
)
