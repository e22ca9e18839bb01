package process

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall/internal/text/texttest"
)

// Whatever a program calls itself, its line in /proc is read as what the kernel wrote.
func FuzzStat(f *testing.F) {
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Skipf("no /proc here: %v", err)
	}
	rest := own[bytes.LastIndexByte(own, ')')+1:]
	before, ok := parseStat(1, own)
	if !ok {
		f.Fatalf("this process's own is not read: %q", own)
	}
	for _, s := range append(texttest.Corpus, ") R 1 1 1", "(((", ")))", "a b") {
		f.Add(s, []byte(nil))
	}
	f.Add("x", own)
	f.Add("x", []byte("1 (x) Z 2"))
	f.Fuzz(func(t *testing.T, name string, whole []byte) {
		k, ok := parseStat(1, []byte("1 ("+name+")"+string(rest)))
		if !ok || k.name != name || k.parent != before.parent || k.start != before.start || k.pgid != before.pgid {
			t.Fatalf("a program called %q is read as %+v, %v", name, k, ok)
		}
		parseStat(1, whole)
	})
}

// The lists and the environments of /proc are read without more than is in them.
func FuzzProc(f *testing.F) {
	f.Add([]byte("1 2 3\n"))
	f.Add([]byte("-1 0 x 99999999999999999999"))
	f.Add([]byte("A=b\x00" + familyVariable + "=web:1\x00C=d"))
	f.Add([]byte(familyVariable + "=a\x00" + familyVariable + "=b"))
	f.Add([]byte("0100007F:1F90"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, pid := range parsePIDs(text) {
			if pid <= 0 {
				t.Fatalf("%q has the process %d", text, pid)
			}
		}
		if mark := markIn(text); mark != "" && (strings.ContainsRune(mark, 0) || !bytes.Contains(text, []byte(familyVariable+"="+mark))) {
			t.Fatalf("%q has the mark %q", text, mark)
		}
		if port := portIn(text); port < -1 || port > 65535 {
			t.Fatalf("%q has the port %d", text, port)
		}
	})
}
