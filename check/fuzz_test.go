package check

import (
	"bytes"
	"testing"

	"github.com/lastcall-go/lastcall/internal/text/texttest"
)

// Whatever is read as a report can be written in every form, in none of which it is obeyed, and is the same when it is read again.
func FuzzReadJSON(f *testing.F) {
	for _, r := range samples() {
		data := []byte(asJSON(f, r))
		f.Add(data)
		f.Add(data[:len(data)*2/3])
	}
	f.Add([]byte(`{"schema":"lastcall.check","version":1,"report":{"command":["x"],"results":[{"timeline":{"moments":[{"at_ns":-9223372036854775808}]}}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ReadJSON(bytes.NewReader(data))
		if err != nil {
			return
		}
		for form, write := range forms {
			var b bytes.Buffer
			if err := write(&b, r); err != nil {
				t.Fatalf("%s: %v", form, err)
			}
			safe := texttest.Lines
			switch form {
			case "terminal":
				safe = texttest.Terminal
			case "github":
				safe = onlyOurCommands
			}
			if err := safe(b.String()); err != nil {
				t.Fatalf("%s: %v", form, err)
			}
			if most := 1<<16 + 200*len(data); b.Len() > most {
				t.Fatalf("%s: %d bytes of a report of %d", form, b.Len(), len(data))
			}
		}
		first := asJSON(t, r)
		again, err := ReadJSON(bytes.NewReader([]byte(first)))
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if second := asJSON(t, again); first != second {
			t.Fatalf("read, written, read and written again is not the same:\n%s\n%s", first, second)
		}
	})
}

// asJSON is a report as JSON.
func asJSON(t testing.TB, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
