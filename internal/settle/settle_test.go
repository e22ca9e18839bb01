package settle

import (
	"bytes"
	"runtime/metrics"
	"testing"
)

// However much garbage comes, memory stays where it is: the limit follows what is alive.
func TestGarbageDoesNotAddUp(t *testing.T) {
	mapped := func() int64 {
		samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		metrics.Read(samples)
		return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
	}
	Now()
	before := mapped()
	kept := make([][]byte, 256)
	const churn = 1 << 30
	for n := 0; n < churn; n += 4 << 10 {
		kept[n>>12%len(kept)] = bytes.Repeat([]byte{1}, 4<<10)
	}
	if after := mapped(); after > 4*before+8*least {
		t.Errorf("%d MiB of garbage made %d MiB of memory out of %d MiB", churn>>20, after>>20, before>>20)
	}
}
