package config

import (
	"path/filepath"
	"strings"
	"testing"
)

// ~ is the home of the user who runs lastcall. In dir it may be another user's, and stays as it is written.
func TestHome(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", "/home/ada")
	load := func(text string) *File {
		t.Helper()
		path := filepath.Join(dir, "lastcall.yaml")
		f, err := Load(Options{Path: path, files: map[string]string{path: text}})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for text, want := range map[string]string{
		"~": "~", "~/": "~", "~/a/../b": "~/b", "~bob": filepath.Join(dir, "~bob"), "a/~": filepath.Join(dir, "a/~"), "/srv/~": "/srv/~", ".": dir,
	} {
		if got := load("processes: { a: { command: x, dir: '" + text + "' } }").Processes[0].Dir; got != want {
			t.Errorf("dir: %s is %q, want %q", text, got, want)
		}
	}
	f := load("socket: ~/run/s\nprocesses: { a: { command: x, log: { file: ~/logs/a } } }")
	if got := f.Socket + " " + f.Processes[0].Log.File; got != "/home/ada/run/s /home/ada/logs/a" {
		t.Error(got)
	}
	if got := load("socket: none\nprocesses: { a: { command: x } }").Socket; got != NoSocket {
		t.Errorf("socket: none is %q", got)
	}
}

// A Procfile by another name is not blamed for its keys.
func TestProcfileByAnotherName(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]bool{
		"web: ./web\nw: sleep 1\n": true, "# all\n\nw: sh -c 'a: b'\r\n": true, "name: x\nweb: ./web -p 1\n": true,
		"wbe: {}\nprocesses: { a: { command: x } }\n": false, "name: x\ngrace: 1s\n": false, "web:\n  command: x\n": false,
	} {
		path := filepath.Join(dir, "dev.txt")
		_, err := Load(Options{Path: path, files: map[string]string{path: text}})
		if is := err != nil && strings.HasSuffix(err.Error(), "it has the lines of a Procfile and not the name of one: call it Procfile, or NAME.procfile"); is != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}
