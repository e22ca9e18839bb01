package check

import (
	"net/netip"
	"time"
)

// The facts about processes, threads and sockets that the system shows to an ordinary user, for the daemons that this process
// started. Where a system does not show them, seesProcesses is false and these are empty.

// proc is a process.
type proc struct {
	PID, Parent int
	Group       int    // its process group
	Name        string // as the system has it, at most 15 bytes on Linux
	Zombie      bool   // with all its threads
}

// thread is a thread, and how much it has done.
type thread struct {
	PID, TID int
	Name     string
	Process  string        // the name of its process
	State    byte          // 'R' runs or could, 'D' waits for a disk, 'S' sleeps, …, see proc_pid_stat(5)
	Switches uint64        // context switches, of its own will and not
	CPU      time.Duration // it has run
}

// socket is a listening socket.
type socket struct {
	Network string // tcp or unix
	Addr    netip.AddrPort
	Path    string // of a unix socket
	PID     int    // who has it
}

// busy reports whether a thread runs, or waits for what only the machine gives: a processor, a disk, a page of its memory. So
// does one between exec and its first instruction.
func (t thread) busy() bool { return t.State == 'R' || t.State == 'D' }
