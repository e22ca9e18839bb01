//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// program writes an executable file.
func program(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// A script that names no interpreter is the shell's, as for execvp(3), with its arguments, also where the child is prepared.
func TestScriptWithoutInterpreter(t *testing.T) {
	for name, nice := range map[string]int{"plain": 0, "prepared": 1} {
		t.Run(name, func(t *testing.T) {
			v := listen(t)
			p := &Process{Command: []string{program(t, "echo \"$# $1 in $(basename \"$0\")\"\n"), "two words"}, Stdout: v.w, Nice: nice}
			noError(t, p.Run(context.Background()))
			v.silence(t)
			v.order(t, "1 two words in program")
		})
	}
	noError(t, (&Process{Command: []string{program(t, "")}}).Run(context.Background()))
	v := listen(t) // a path that is relative to the program's directory
	p := &Process{Command: []string{"./program"}, Dir: filepath.Dir(program(t, "echo here\n")), Stdout: v.w}
	noError(t, p.Run(context.Background()))
	v.silence(t)
	v.order(t, "here")
}

func TestProgramThatCannotRun(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	noError(t, os.WriteFile(plain, nil, 0o644))
	for _, test := range []struct {
		name, text string
		is         error
		says       string
	}{
		{"another processor's", "\x7fELF\x00\x00\x00", syscall.ENOEXEC, "exec format error"},
		{"missing interpreter", "#! /nosuch/interpreter -x\n", fs.ErrNotExist, `its interpreter "/nosuch/interpreter" cannot be run: no such file or directory`},
		{"CRLF", "#!/bin/sh\r\necho\r\n", fs.ErrNotExist, `its interpreter "/bin/sh\r" cannot be run: no such file or directory; its lines end with CRLF`},
		{"interpreter not executable", "#!" + plain + "\n", fs.ErrPermission, `plain" cannot be run: permission denied`},
	} {
		err := (&Process{Command: []string{program(t, test.text)}}).Run(context.Background())
		if e := errorAs[*StartError](t, err); !errors.Is(e, test.is) || !strings.Contains(e.Error(), test.says) {
			t.Errorf("%s: %v, want %q", test.name, err, test.says)
		}
	}
	err := (&Process{Command: []string{program(t, "#!/bin/sh\n"), strings.Repeat("x", 20<<20)}}).Run(context.Background())
	if e := errorAs[*StartError](t, err); !errors.Is(e, syscall.E2BIG) || !strings.Contains(e.Error(), "the longest being argument 1 with 20971520") {
		t.Errorf("too long an argument: %v", err)
	}
}

// A program whose loader is missing, as one for musl is on glibc, is there: it is the loader that is not.
func TestMissingLoader(t *testing.T) {
	text, err := os.ReadFile("/bin/sh")
	noError(t, err)
	name := loader(text[:min(len(text), headSize)])
	if name == "" {
		t.Skip("/bin/sh has no loader here")
	}
	missing := strings.Repeat("x", len(name)-len("/lib/")) // of the same length
	changed := bytes.Replace(text, []byte("\x00"+name+"\x00"), []byte("\x00/lib/"+missing+"\x00"), 1)
	err = (&Process{Command: []string{program(t, string(changed))}}).Run(context.Background())
	interpreter := errorAs[*InterpreterError](t, err)
	if interpreter.Kind != "loader" || interpreter.Path != "/lib/"+missing || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
