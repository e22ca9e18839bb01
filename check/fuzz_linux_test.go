package check

import (
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall/internal/text/texttest"
)

// Whatever a daemon calls itself and its sockets, what is read of /proc and of the kernel's answers is what it wrote.
func FuzzFacts(f *testing.F) {
	const rest = " S 1 2 3 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 100 0 0"
	for _, s := range append(texttest.Corpus, ") Z 1", "((", "))") {
		f.Add(s, "0100007F:1F90")
	}
	f.Add("x", "0000000000000000FFFF00000100007F:0050")
	f.Add("x", ":")
	f.Add(strings.Repeat("\x02", diagAnswer), "zz:zz")
	f.Add("\x0a"+strings.Repeat("\xff", diagAnswer), "00:00000")
	f.Fuzz(func(t *testing.T, text, address string) {
		name, fields, ok := statFields([]byte("7 (" + text + ")" + rest))
		if !ok || name != text {
			t.Fatalf("a program called %q is read as %q, %v", text, name, ok)
		}
		if p := procOf(7, name, fields); p.Parent != 1 || p.Group != 2 || p.Zombie {
			t.Fatalf("a program called %q is read as %+v", text, p)
		}
		if name, fields, ok := statFields([]byte(text)); ok {
			procOf(1, name, fields)
		}
		_ = hexAddr(address).String()
		if l, ok := parseDiag([]byte(text)); ok && (l.state == 0 || !l.local.IsValid()) {
			t.Fatalf("%q is read as %+v", text, l)
		}
	})
}
