//go:build unix

package process

import (
	"reflect"
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall/internal/text/texttest"
)

// Whatever a child sends, what is read of it is within what can be meant, and notes that are merged say what the last of them said.
func FuzzNote(f *testing.F) {
	for _, text := range []string{
		"READY=1", "READY=1\nSTATUS=serving\nMAINPID=42\n", "STOPPING=1\nEXTEND_TIMEOUT_USEC=5000000", "WATCHDOG=1", "WATCHDOG=trigger\nWATCHDOG_USEC=1",
		"MAINPID=1", "MAINPID=-5", "EXTEND_TIMEOUT_USEC=18446744073709551615", "WATCHDOG_USEC=-1", "RELOADING=1\nMONOTONIC_USEC=1", "READY", "=", "\n\n", "STATUS=a\rb\x1b]0;x\x07",
	} {
		f.Add(text, "STATUS=b")
	}
	for _, s := range texttest.Corpus {
		f.Add("STATUS="+s, s)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		notes := []note{parseNote(first), parseNote(second)}
		for i, n := range notes {
			text := []string{first, second}[i]
			if n.mainPID < 0 || n.mainPID == 1 || n.extend < 0 || n.watchdog < 0 {
				t.Fatalf("%q is read as %+v", text, n)
			}
			if n.status != nil && (strings.Contains(*n.status, "\n") || !strings.Contains(text, "STATUS="+*n.status)) && *n.status != "" {
				t.Fatalf("%q has the status %q", text, *n.status)
			}
			if n.ready && !strings.Contains(text, "READY=1") || n.stopping && !strings.Contains(text, "STOPPING=1") || n.beat && !strings.Contains(text, "WATCHDOG=1") {
				t.Fatalf("%q is read as %+v", text, n)
			}
		}
		status, pid := notes[1].status, notes[1].mainPID
		if status == nil {
			status = notes[0].status
		}
		if pid == 0 {
			pid = notes[0].mainPID
		}
		var merged note
		for _, n := range coalesce(notes) {
			if n.status != nil {
				merged.status = n.status
			}
			if n.mainPID != 0 {
				merged.mainPID = n.mainPID
			}
		}
		if merged.mainPID != pid || !reflect.DeepEqual(merged.status, status) {
			t.Fatalf("%q and %q end as pid %d, want %d", first, second, merged.mainPID, pid)
		}
	})
}

// A launch that is not whole, or not one, is refused; one that is read is the same when it is sent again.
func FuzzErrand(f *testing.F) {
	whole := launch{steps: []step{{name: "nofile", values: []uint64{1024}}, {name: userStep, values: []uint64{1, 2, 3}}, {name: listenStep}},
		path: "/bin/true", dir: "/", env: []string{"A=b", "C="}}
	f.Add(whole.encode())
	f.Add(whole.encode()[:20])
	f.Add("0\x00")
	f.Add("6\x00nice\x00\x00")
	f.Add("99999999999999999999\x00x=1:2,y=\x00p\x00d")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := decodeLaunch(text)
		if err != nil {
			return
		}
		if e == nil {
			t.Fatalf("%q is neither a launch nor an error", text)
		}
		again, err := decodeLaunch(e.encode())
		if err != nil || !reflect.DeepEqual(e, again) {
			t.Fatalf("%q is %+v, and sent again %+v: %v", text, e, again, err)
		}
		for _, s := range e.steps {
			if len(s.values) < s.least() && s.do() == nil { // which must not even be tried
				t.Fatalf("step %q was done without its values", s.name)
			}
		}
	})
}
