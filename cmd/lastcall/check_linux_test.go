package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall/check"
)

// On a terminal the scenario that is being played has a line, which its row of the table takes the place of.
func TestCheckAtATerminal(t *testing.T) {
	daemon := filepath.Join(t.TempDir(), "daemon")
	script := "#!/bin/sh\ntrap 'kill $!; exit 0' TERM INT\nsleep 1000 & wait\n"
	if err := os.WriteFile(daemon, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, color := range map[string]bool{"colours": true, "NO_COLOR": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := command("lastcall", "check", "--only", "term,int,again", "--repeat", "1000", daemon)
			cmd.Env = append(cmd.Environ(), "TERM=xterm", "NO_COLOR=")
			if !color {
				cmd.Env = append(cmd.Env, "NO_COLOR=1")
			}
			s := onTerminal(t, cmd)
			s.shows(`(\.\.).*start.*starting it`)
			s.shows(`(checking)`)
			s.shows(`(pass)\S*  term .*exit code 0`)
			s.shows(`(pass)\S*  int .*exit code 0`)
			s.shows(`(again) .*life 2 of 20000`)
			s.keys(ctrlC)
			s.shows(`(not finished)\S*: interrupted by SIGINT, 2 passed`)
			s.shows(`(lastcall: interrupted by SIGINT)`)
			s.mu.Lock()
			defer s.mu.Unlock()
			text := s.text.String()
			if got := strings.Contains(text, "\x1b[32mpass"); got != color {
				t.Errorf("colours: %v, want %v:\n%q", got, color, text)
			}
			// What stays, when each line that was erased is taken away, has no trace of the line that was rewritten.
			stays := regexp.MustCompile("\r[^\r\n]*\x1b\\[K\x1b\\[J").ReplaceAllString(text, "")
			if strings.Contains(stays, "life 2") || strings.Contains(stays, "starting it") {
				t.Errorf("the line of what is played stays:\n%q", stays)
			}
		})
	}
}

// Every field of a check has a flag, by whose name errors call it.
func TestCheckFlags(t *testing.T) {
	flags := newCheck().Flags()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[check.Check]()) {
		switch field.Name {
		case "Command", "Env", "Observe": // the arguments, this process's, and what shows the check
			continue
		}
		if name := strings.TrimPrefix(checkFlag(field.Name), "--"); flags.Lookup(name) == nil {
			t.Errorf("no flag --%s for %s", name, field.Name)
		}
	}
}
