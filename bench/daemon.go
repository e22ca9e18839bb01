package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	_ "embed"
)

// daemon is a running program that prints "ready PID" when it waits, and may print "told TIME" when it was stopped.
type daemon struct {
	cmd    *exec.Cmd
	stdout *bufio.Reader
	pid    int // of the program itself: what was started may be a tracer around it
}

// startDaemon starts the program and returns when it is ready.
func startDaemon(ctx context.Context, command []string) (*daemon, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	d := &daemon{cmd: cmd, stdout: bufio.NewReader(stdout)}
	if _, err := fmt.Fscanf(d.stdout, "ready %d\n", &d.pid); err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		return nil, fmt.Errorf("%s was not ready: %w: %s", command[0], err, strings.TrimSpace(stderr.String()))
	}
	return d, nil
}

// stop sends SIGTERM and returns what the program printed until it ended.
func (d *daemon) stop() (printed string, err error) {
	err = syscall.Kill(d.pid, syscall.SIGTERM)
	text, readErr := io.ReadAll(d.stdout)
	return string(text), errors.Join(err, readErr, d.cmd.Wait())
}

//go:embed programs/sigwait.c
var sigwaitC []byte

//go:embed programs/seed.py
var seedPython []byte

// compileC builds a C program, if there is a compiler.
func (b *bench) compileC(ctx context.Context, name string, text []byte, flags ...string) (program string, err error) {
	compiler, err := exec.LookPath("cc")
	if err != nil {
		return "", err
	}
	source := filepath.Join(b.dir, name+".c")
	if err := os.WriteFile(source, text, 0o666); err != nil {
		return "", err
	}
	program = filepath.Join(b.dir, name)
	args := append([]string{"-O2", "-o", program, source}, flags...)
	said, err := exec.CommandContext(ctx, compiler, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(string(said)))
	}
	return program, nil
}

// python finds an interpreter and its version. A launcher that only looks for one is asked for what it found.
func python(ctx context.Context, name string) (interpreter, version string, err error) {
	const ask = "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])"
	text, err := exec.CommandContext(ctx, name, "-c", ask).Output()
	if err != nil {
		return "", "", err
	}
	if _, err := fmt.Sscan(string(text), &interpreter, &version); err != nil {
		return "", "", err
	}
	return interpreter, version, nil
}
