package lastcall

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall/internal/text/texttest"
)

// Whatever a worker is called, its goroutines are found in the runtime's profile under that name, and no others.
func FuzzGoroutines(f *testing.F) {
	for _, s := range append(texttest.Corpus, `x", "worker":"y`, "shop/db") {
		f.Add(s, []byte(nil))
	}
	f.Add("a", []byte("1 @ 0x1\n# labels: {\"user\":\"7\", \"worker.7\":\"b\"}\n#\t0x1\tmain.b+0x1\t/b.go:1\n"))
	f.Add("a", []byte("# labels: {\"worker.7\":\n\n#\t\t\t\n"))
	f.Fuzz(func(t *testing.T, name string, others []byte) {
		profile := fmt.Sprintf("goroutine profile: total 2\n2 @ 0x1\n# labels: {%q:%q, %q:%q}\n#\t0x1\tmain.work+0x24\t/src/main.go:12\n\n", "user", "7", "worker.7", name)
		found := parseGoroutines(bytes.NewBufferString(profile), "worker.7")
		want := "2 goroutines:\n\tmain.work\n\t\t/src/main.go:12\n"
		if name == "" {
			want = ""
		}
		if len(found) > 1 || found[name] != want {
			t.Fatalf("a worker called %q has %q", name, found)
		}
		if other := parseGoroutines(bytes.NewBufferString(profile), "worker"); len(other) > 0 {
			t.Fatalf("another run has %q", other)
		}
		for path, stacks := range parseGoroutines(bytes.NewBuffer(others), "worker.7") {
			if path == "" || !strings.HasSuffix(stacks, "\n") {
				t.Fatalf("%q has %q: %q", others, path, stacks)
			}
		}
	})
}
