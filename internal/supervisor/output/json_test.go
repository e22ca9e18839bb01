package output

import (
	"encoding/json"
	"testing"
)

// What is read back is what the package encoding/json would have written.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{"", "plain text that is longer than a word", "\"\\\b\f\n\r\t\x00\x1f\x7f", "1234567\"", "12345678\\", "ä\u2028\U0001F600", "\xff\xc3", "a\xe2\x82", "\xed\xa0\x80"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		written := append(appendJSON([]byte{'"'}, b), '"')
		var got, want string
		if err := json.Unmarshal(written, &got); err != nil {
			t.Fatalf("%v: %q", err, written)
		}
		theirs, err := json.Marshal(string(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(theirs, &want); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		for _, c := range written {
			if c < ' ' {
				t.Errorf("a control character in %q", written)
			}
		}
	})
}

func BenchmarkJSON(b *testing.B) {
	line := []byte(`10.0.0.1 - - [24/Nov/2026:22:44:56 +0000] "GET /orders/17?page=2 HTTP/1.1" 200 5316 "-" "curl/8.5.0"`)
	var dst []byte
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		dst = appendJSON(dst[:0], line)
	}
}
