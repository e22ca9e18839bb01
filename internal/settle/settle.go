// Package settle makes a process small and quiet once its start is over: what only the start needed is given back, and the
// collector does not wake what is idle.
package settle

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// least is how much garbage there may be at the least before it is collected.
const least = 4 << 20

// Now is to be called when the start is over. From then on the Go runtime collects garbage when memory has doubled, as it
// would by default, but not every two minutes as well, which would be the only thing that an idle process does.
func Now() {
	debug.FreeOSMemory()
	follow()
	debug.SetGCPercent(-1) // after the limit: without one the runtime takes huge pages for a heap without end
	dropText()
}

// follow sets the limit at which garbage is collected, now and after each collection.
func follow() {
	now := used()
	debug.SetMemoryLimit(now + max(now, least))
	runtime.SetFinalizer(new([16]byte), func(*[16]byte) { follow() }) // the next collection finds it
}

// used is the memory that is in use: what the runtime has from the system, without what is free in the heap, and with what the last
// collection found alive in place of all objects. With the garbage the limit would double at each collection.
func used() int64 {
	const (
		total = iota
		released
		free
		objects
		live
	)
	samples := []metrics.Sample{
		total:    {Name: "/memory/classes/total:bytes"},
		released: {Name: "/memory/classes/heap/released:bytes"},
		free:     {Name: "/memory/classes/heap/free:bytes"},
		objects:  {Name: "/memory/classes/heap/objects:bytes"},
		live:     {Name: "/gc/heap/live:bytes"},
	}
	metrics.Read(samples)
	value := func(i int) int64 { return int64(samples[i].Value.Uint64()) }
	return value(total) - value(released) - value(free) - value(objects) + value(live)
}
