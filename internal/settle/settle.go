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
	used := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(used)
	now := int64(used[0].Value.Uint64() - used[1].Value.Uint64())
	debug.SetMemoryLimit(now + max(now, least))
	runtime.SetFinalizer(new([16]byte), func(*[16]byte) { follow() }) // the next collection finds it
}
