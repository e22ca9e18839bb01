// Package board is the memory that the benchmark shares with the children of the supervisors it measures. A child notes
// there when it ran, and when it was told to stop, so that nobody has to read its output to know. programs/kid.c has the
// same layout.
package board

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Slot is one child's. Times are on CLOCK_MONOTONIC, in nanoseconds.
type Slot struct {
	PID        int64 // as the child sees it
	Grandchild int64 // 1 if its parent is the child
	started    int64
	told       int64
	Signal     int64 // the first that told it
	done       int64
	signals    int64
	_          int64
}

// Started is when it ran; 0 means not yet.
func (s *Slot) Started() int64 { return atomic.LoadInt64(&s.started) }

// Told is when the first signal told it to stop; 0 means none did.
func (s *Slot) Told() int64 { return atomic.LoadInt64(&s.told) }

// Done is when it had finished its work; 0 means not yet.
func (s *Slot) Done() int64 { return atomic.LoadInt64(&s.done) }

// Signals is how many have come.
func (s *Slot) Signals() int { return int(atomic.LoadInt64(&s.signals)) }

// Tell notes a signal that tells the child to stop.
func (s *Slot) Tell(now int64, signal int) {
	atomic.AddInt64(&s.signals, 1)
	if s.Told() == 0 {
		s.Signal = int64(signal)
		atomic.StoreInt64(&s.told, now)
	}
}

// Finish notes that the child has done its work.
func (s *Slot) Finish(now int64) { atomic.StoreInt64(&s.done, now) }

type head struct {
	taken, started int64
	_              [6]int64
}

// A Board is a file of slots, mapped.
type Board struct {
	memory []byte
	head   *head
	slots  []Slot
}

// Create makes the file with so many free slots.
func Create(path string, slots int) (*Board, error) {
	size := int64(unsafe.Sizeof(head{})) + int64(slots)*int64(unsafe.Sizeof(Slot{}))
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		return nil, err
	}
	if err := os.Truncate(path, size); err != nil {
		return nil, err
	}
	return Open(path)
}

// Open maps the file.
func Open(path string) (*Board, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	memory, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b := &Board{memory: memory, head: (*head)(unsafe.Pointer(&memory[0]))}
	first := unsafe.Sizeof(head{})
	b.slots = unsafe.Slice((*Slot)(unsafe.Pointer(&memory[first])), (uintptr(len(memory))-first)/unsafe.Sizeof(Slot{}))
	return b, nil
}

// Close unmaps it; its slots are no longer there.
func (b *Board) Close() error { return unix.Munmap(b.memory) }

// Arrive takes the next free slot for the process; nil if there is none.
func (b *Board) Arrive(now int64) *Slot {
	i := atomic.AddInt64(&b.head.taken, 1) - 1
	if i >= int64(len(b.slots)) {
		return nil
	}
	s := &b.slots[i]
	s.PID = int64(os.Getpid())
	atomic.StoreInt64(&s.started, now)
	atomic.AddInt64(&b.head.started, 1)
	return s
}

// Started is how many have arrived.
func (b *Board) Started() int { return int(atomic.LoadInt64(&b.head.started)) }

// Slots are those of everyone who has arrived.
func (b *Board) Slots() []*Slot {
	taken := min(atomic.LoadInt64(&b.head.taken), int64(len(b.slots)))
	var slots []*Slot
	for i := range b.slots[:taken] {
		if b.slots[i].Started() != 0 {
			slots = append(slots, &b.slots[i])
		}
	}
	return slots
}
