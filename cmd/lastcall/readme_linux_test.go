package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The README shows the greeter on a terminal, where a person presses Ctrl-C.
func TestReadmeShowsTheGreeter(t *testing.T) {
	program := filepath.Join(t.TempDir(), "greeter")
	if out, err := exec.Command("go", "build", "-o", program, "../../examples/greeter").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	terminal, other := openTerminal(t)
	defer other.Close()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = other, other, other
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	other.Close()
	p := &person{T: t, terminal: terminal, cmd: cmd}
	p.sees("hi from ")
	p.sees("hi from ")
	if _, err := terminal.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	rest, err := p.ends()
	if err != nil {
		t.Errorf("the greeter ended with %v", err)
	}
	got := lines("hi from ada\nhi from grace\n" + strings.NewReplacer("\r", "", "\x1b[J", "", "\x1b[A", "").Replace(rest))
	for _, want := range lines(block(t, "<!-- greeter -->")) {
		if !slices.Contains(got, want) {
			t.Errorf("no line %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}
