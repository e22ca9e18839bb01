//go:build !linux

package check

import (
	"net/netip"
	"syscall"
	"time"
)

const seesProcesses = false

func descendants(int) []proc                     { return nil }
func threadsOf([]proc) []thread                  { return nil }
func callOf(int, int) string                     { return "" }
func catches(int, syscall.Signal) (bool, bool)   { return false, false }
func ignores(int, syscall.Signal) bool           { return false }
func runtimeOf(int) string                       { return "" }
func hint(int, syscall.Signal) string            { return "" }
func sessionOf(int) int                          { return 0 }
func blocked(int, syscall.Signal) bool           { return false }
func pending(int, syscall.Signal) bool           { return false }
func tracerOf(int) string                        { return "" }
func commandLine(int) string                     { return "" }
func holds(int) []string                         { return nil }
func listening([]proc) []socket                  { return nil }
func listens(int, netip.AddrPort) (socket, bool) { return socket{}, false }
func tasksOf(int) []int                          { return nil }
func taskName(int, int) string                   { return "" }
func lookAtTask(proc, int) (thread, bool)        { return thread{}, false }
func queued(int, uint16) int                     { return 0 }
func unread(int, uint16, uint16) uint64          { return 0 }
func acceptedFrom(int, uint16) []uint16          { return nil }
func connections(int, uint16) int                { return 0 }
func waiting(int, uint16) uint64                 { return 0 }
func unreadFrom(int, uint16) int                 { return 0 }
func lookAt(int) (proc, bool)                    { return proc{}, false }
func everybody() []proc                          { return nil }

func threadCPU() time.Duration { return 0 }
