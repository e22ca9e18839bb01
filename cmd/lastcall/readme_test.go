//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// readme is the project's README.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is the fenced block behind a marker line.
func block(t *testing.T, marker string) string {
	t.Helper()
	_, rest, ok := strings.Cut(readme(t), marker+"\n```")
	if !ok {
		t.Fatalf("the README has no block behind %q", marker)
	}
	_, rest, _ = strings.Cut(rest, "\n")
	text, _, _ := strings.Cut(rest, "\n```")
	return text
}

// The code that the README shows stands in the examples.
func TestReadmeShowsTheExamples(t *testing.T) {
	for _, marker := range regexp.MustCompile(`<!-- (?:part of )?(examples/\S+) -->`).FindAllStringSubmatch(readme(t), -1) {
		source, err := os.ReadFile(filepath.Join("../..", marker[1]))
		if err != nil {
			t.Fatal(err)
		}
		unindented := regexp.MustCompile(`(?m)^\t`).ReplaceAllString(string(source), "")
		shown := block(t, marker[0])
		if !strings.Contains(string(source), shown) && !strings.Contains(unindented, shown) {
			t.Errorf("%s is not as the README shows it", marker[1])
		}
	}
	source, err := os.ReadFile("../../examples/greeter/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(source), "\n"); lines > 25 {
		t.Errorf("the greeter has %d lines, want 25 at most", lines)
	}
}

// The output that the README shows is what a user sees: the same lines, but for times, counts and bars.
func TestReadmeShowsTheOutput(t *testing.T) {
	_, demo, _ := strings.Cut(readme(t), "press Ctrl-C\n")
	demo, _, _ = strings.Cut(demo, "\n$ ")
	for _, test := range []struct {
		name, shown string
		ready       []string
		args        []string
	}{
		{"demo", demo, []string{"press Ctrl-C to stop it"}, []string{".", "demo"}},
		{"deferred", "traces are flushed\nstopped in 1ms (SIGINT): 1 worker, all well", []string{"waiting for the stop"}, []string{"../../examples/deferred"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			program := filepath.Join(t.TempDir(), "program")
			if out, err := exec.Command("go", "build", "-o", program, test.args[0]).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got := lines(interrupted(t, test.ready, program, test.args[1:]...))
			for _, want := range lines(test.shown) {
				if !slices.Contains(got, want) {
					t.Errorf("no line %q in\n%s", want, strings.Join(got, "\n"))
				}
			}
		})
	}
}

// The larger example in the README packs every order that it has acknowledged, also those that are in its channel at the signal.
func TestReadmeOrdersLoseNothing(t *testing.T) {
	const source, address = "../../examples/orders/main.go", "127.0.0.1:8080"
	if !strings.Contains(block(t, "<!-- part of examples/orders/main.go -->"), address) {
		t.Fatalf("the README's example has no address %s", address)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := free.Addr().String()
	_ = free.Close()
	program := buildWith(t, source, address, at)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var want []string
	for n := 0; n < 20 && ctx.Err() == nil; {
		path := fmt.Sprintf("/order/%d", n)
		answer, err := http.Get("http://" + at + path)
		if err != nil { // it has not started yet
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			want = append(want, "packed "+path)
		}
		n++
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, &stderr)
	}
	got := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	if !slices.Equal(got, want) || len(want) != 20 {
		t.Errorf("acknowledged:\n%q\npacked:\n%q\n%s", want, got, &stderr)
	}
}

// buildWith builds the program of a source file in which one string is another.
func buildWith(t *testing.T, source, old, new string) (program string) {
	t.Helper()
	dir := t.TempDir()
	full, err := filepath.Abs(source)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(full)
	if err != nil {
		t.Fatal(err)
	}
	changed, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{full: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{changed: bytes.ReplaceAll(text, []byte(old), []byte(new)), overlay: list} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program = filepath.Join(dir, "program")
	if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", program, filepath.Dir(source)).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// The check that the README shows says what it says there.
func TestReadmeShowsTheCheck(t *testing.T) {
	t.Parallel()
	shown := block(t, "<!-- check -->")
	first, _, _ := strings.Cut(shown, "\n")
	args := strings.Fields(strings.TrimPrefix(first, "$ lastcall "))
	cmd := command("lastcall", args...)
	cmd.Env = append(os.Environ(), "NO_COLOR=", "GITHUB_ACTIONS=", "GITHUB_STEP_SUMMARY=")
	out, err := cmd.CombinedOutput()
	if status := cmd.ProcessState.ExitCode(); status != 1 {
		t.Fatalf("%v: %v, want status 1\n%s", args, err, out)
	}
	got, want := lines(string(out)), lines(shown)[1:]
	for _, list := range [][]string{got, want} {
		for i := range list { // times may be less or more than nothing, and in another unit; a busy machine lets nobody see that all is quiet
			list[i] = regexp.MustCompile(`[-+]?N(mN| ms?\b| s\b)?`).ReplaceAllString(list[i], "N")
			list[i] = strings.Replace(list[i], "it ran for", "it was quiet for", 1)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("it is not as the README shows it:\n%s", out)
	}
}

// interrupted runs a program, sends SIGINT when it has written the lines ready, and returns all that it wrote.
func interrupted(t *testing.T, ready []string, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm")
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	read := make(chan struct{})
	missing := len(ready)
	go func() {
		defer close(read)
		for output := bufio.NewScanner(r); output.Scan(); {
			all.Write(append(output.Bytes(), '\n'))
			if slices.Contains(ready, output.Text()) {
				missing--
			}
			if missing == 0 {
				missing--
				_ = cmd.Process.Signal(syscall.SIGINT) // where it has ended, Wait says so
			}
		}
	}()
	err := cmd.Wait()
	_ = w.Close()
	<-read
	if err != nil {
		t.Fatalf("%v: %v, waiting for %q and the end\n%s", cmd.Args, err, ready, all.String())
	}
	return all.String()
}

// lines are the lines of text without what differs from run to run, and without ^C, which the terminal writes.
func lines(text string) (lines []string) {
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimPrefix(line, "^C")
		if i := strings.IndexAny(line, "█▏"); i >= 0 {
			line = line[:i] // a row of the waterfall: the worker counts
		}
		line = regexp.MustCompile(`/\S*/`).ReplaceAllString(line, "DIR/")
		line = regexp.MustCompile(`, \d+ in flight at the soft stop`).ReplaceAllString(line, "")
		line = regexp.MustCompile(`[\d.]+(µs|ms|s\b)?`).ReplaceAllString(line, "N")
		line = regexp.MustCompile(`(N \w+?)s\b`).ReplaceAllString(line, "$1") // 1 job, 2 jobs
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
