//go:build unix

package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall"
)

// shell runs scripts that do not say which program is to run them.
const shell = "/bin/sh"

// exec starts the program at path as c's process. A script without #! is run by the shell, as execvp(3) has it. join, unless nil, is the
// file by which it joins its control group.
func (c *child) exec(path string, attr *syscall.ProcAttr, join *os.File) (*handle, error) {
	argv, sys := c.p.Command, *attr.Sys
	again := *attr // the first try takes things out of it
	again.Sys = &sys
	h, err := c.fork(path, argv, attr, join)
	if !errors.Is(err, syscall.ENOEXEC) || !isText(head(path, again.Dir)) {
		return h, explain(err, path, argv, &again)
	}
	return c.fork(shell, append([]string{shell, path}, argv[1:]...), &again, join)
}

// fork is fork, by way of the trampoline if it is needed.
func (c *child) fork(path string, argv []string, attr *syscall.ProcAttr, join *os.File) (*handle, error) {
	if c.p.prepared() {
		return c.forkVia(lastcall.Grace(c.ctx), join, path, argv, attr)
	}
	return c.family.fork(path, argv, attr, c.p.Outlive)
}

// headSize is how much of a program is looked at; the kernel reads 256 bytes for the name of an interpreter.
const headSize = 4096

// head is the beginning of a program, empty if it cannot be read.
func head(path, dir string) []byte {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	text := make([]byte, headSize)
	n, err := io.ReadFull(f, text)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return text[:n]
}

// isText reports whether a program may be a script, as shells find out: its first line has no zero byte. A program for another processor
// is none.
func isText(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	return head != nil && bytes.IndexByte(line, 0) < 0
}

// InterpreterError is a program that is there, while the program that is to run it is not: the interpreter of a script, or the loader of
// a program that is dynamically linked.
type InterpreterError struct {
	Path string // of the interpreter
	Kind string // "interpreter" or "loader"
	Err  error
}

// Error is one line.
func (e *InterpreterError) Error() string {
	text := fmt.Sprintf("its %s %q cannot be run: %v", e.Kind, e.Path, e.Err)
	if strings.HasSuffix(e.Path, "\r") {
		text += "; its lines end with CRLF, and must end with LF"
	}
	return text
}

// Unwrap returns Err.
func (e *InterpreterError) Unwrap() error { return e.Err }

// explain says more of why a program could not be run, where the system says little.
func explain(err error, path string, argv []string, attr *syscall.ProcAttr) error {
	switch {
	case errors.Is(err, syscall.E2BIG):
		return fmt.Errorf("%s: %w", tooLong(argv, attr.Env), err)
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.ENOTDIR):
		text := head(path, attr.Dir)
		name, kind := interpreter(text), "interpreter"
		if name == "" {
			name, kind = loader(text), "loader"
		}
		if name == "" || runnable(name, attr.Dir) {
			return err
		}
		return &InterpreterError{Path: name, Kind: kind, Err: err}
	}
	return err
}

// interpreter is the one that a script names, "" if it names none.
func interpreter(head []byte) string {
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	line, ok := bytes.CutPrefix(line, []byte("#!"))
	if line = bytes.Trim(line, " \t"); !ok || len(line) == 0 {
		return ""
	}
	name, _, _ := bytes.Cut(line, []byte{' '})
	name, _, _ = bytes.Cut(name, []byte{'\t'})
	return string(name)
}

// loader is the program that the kernel runs for one that is dynamically linked, "" if there is none. The name stands near the
// beginning, and is the only one there that is a path.
func loader(head []byte) string {
	if !bytes.HasPrefix(head, []byte("\x7fELF")) {
		return ""
	}
	for _, prefix := range []string{"/lib", "/usr/lib", "/libexec", "/system/"} {
		if i := bytes.Index(head, []byte("\x00"+prefix)); i >= 0 {
			name, _, ended := bytes.Cut(head[i+1:], []byte{0})
			if ended {
				return string(name)
			}
		}
	}
	return ""
}

// runnable reports whether there is a program of that name that may be run.
func runnable(name, dir string) bool {
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// tooLong says how long the arguments and the environment are, the longest of which alone may be too long.
func tooLong(argv, env []string) string {
	size, longest, what := 0, 0, ""
	for i, text := range argv {
		if size += len(text) + 1; len(text) > longest {
			longest, what = len(text), fmt.Sprintf("argument %d", i)
		}
	}
	arguments := size
	for _, text := range env {
		if size += len(text) + 1; len(text) > longest {
			name, _, _ := strings.Cut(text, "=")
			longest, what = len(text), "the variable "+name
		}
	}
	return fmt.Sprintf("the arguments have %d bytes and the environment %d, the longest being %s with %d", arguments, size-arguments, what, longest)
}
