package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// At a terminal it is as if lastcall were not there: the shell sees the program stop, lets it go on, and the keys reach it.
func TestInitsAtATerminal(t *testing.T) {
	for _, init := range []string{"lastcall run", "lastcall run --group", "tini -s", "tini -s -g", "dumb-init -c", "dumb-init"} {
		t.Run(init, func(t *testing.T) {
			t.Parallel()
			s := shell(t)
			if !strings.HasSuffix(init, "dumb-init") { // there the program is in another session, and the terminal is the shell's
				s.keys(init + ` sh -c 'echo as''king; read line; echo "it read $line"'` + "\n")
				s.shows("asking")
				s.keys("hello\n")
				s.shows("it read hello")
			}
			s.keys(init + ` sh -c 'trap "echo con''tinued" CONT; echo pid $$; while :; do read line <&3; done' 3<>` + fifo(t) + "\n")
			pid := s.shows(`pid (\d+)`)
			awaitState(t, pid, "S") // a signal that a shell gets just before it reads is heeded only after that
			s.keys(ctrlZ)
			s.shows("(?i)(stopped|suspended).*\n")
			awaitState(t, pid, "T")
			s.keys("jobs\n")
			s.shows("(?i)(stopped|suspended).*" + init[:4])
			s.keys("fg\n")
			s.shows("continued")
			s.keys(ctrlC)
			s.keys("echo ended with $?.\n")
			s.shows(`ended with 130\.`)
		})
	}
}

// fifo is a pipe into which nobody writes. A shell that waits for it has no children: one that is just making a child neither
// stops nor ends when it is to.
func fifo(t *testing.T) string {
	t.Helper()
	name := t.TempDir() + "/fifo"
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// stateOf is the letter that /proc has for what a process does.
func stateOf(t *testing.T, pid string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))[0]
}

func awaitState(t *testing.T, pid, want string) {
	t.Helper()
	for limit := time.Now().Add(patience); stateOf(t, pid) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("the program's state is %s after %v, want %s", stateOf(t, pid), patience, want)
		}
	}
}

// A pipeline and a script around it stop, go on, and end with it.
func TestRunInAJobAtATerminal(t *testing.T) {
	s := shell(t)
	s.keys(`lastcall run sh -c 'echo data; exec sleep 1000' | sh -c 'read x; echo pi''pe $x; read line </dev/tty; echo "keys: $line"'` + "\n")
	s.shows("pipe data")
	s.keys("abc\n") // for the other program of the pipeline
	s.shows("keys: abc")
	s.keys(ctrlZ)
	s.shows("(?i)(stopped|suspended).*lastcall run.*\n")
	s.keys("fg\n")
	s.shows("lastcall run.*\n")
	s.keys(ctrlC)
	s.keys("echo a''gain\n")
	s.shows("again")
	// Ctrl-C ends a loop in a script, and not one round of it.
	s.keys(`sh -c 'for i in 1 2 3; do lastcall run sh -c "echo round; exec sleep 1000"; done; echo a''fter'` + "\n")
	s.shows("round")
	s.keys(ctrlC)
	s.keys("echo do''ne\n")
	s.shows("done")
	s.mu.Lock()
	defer s.mu.Unlock()
	if all := s.text.String(); strings.Contains(all, "after") || strings.Count(all, "round") != 1 {
		t.Errorf("the loop went on:\n%s", all)
	}
}
