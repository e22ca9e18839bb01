package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// supervisor is a program that is measured: how it is configured and asked.
type supervisor struct {
	name    string
	program string         // looked for in -peers and in PATH
	single  bool           // an init: it runs one child
	once    bool           // a child that dies is not started again
	leaves  bool           // at the stop it leaves before its children have ended
	stop    syscall.Signal // 0 is SIGTERM
	ask     []string       // for its version
	pkg     string         // whose version it is where it cannot be asked

	// configure writes what it needs under dir to run the children, and returns its command. restart says that a
	// child that ends is to be started again, where that can be chosen.
	configure func(dir string, children [][]string, restart bool) ([]string, error)

	path, version string
}

const nameUp, nameRun = "lastcall up", "lastcall run"

// supervisors are all that are known, lastcall's own first.
func supervisors() []*supervisor {
	return []*supervisor{
		{name: nameUp, program: "lastcall", configure: configureLastcall},
		{name: "dinit", program: "dinit", ask: []string{"--version"}, configure: configureDinit},
		{name: "s6", program: "s6-svscan", pkg: "s6", configure: scanned("s6-svscan", "-c", "1100")},
		{name: "runit (SIGHUP)", program: "runsvdir", pkg: "runit", stop: syscall.SIGHUP, leaves: true, configure: scanned("runsvdir")},
		{name: "supervisord", program: "supervisord", ask: []string{"--version"}, configure: configureSupervisord},
		{name: "pebble", program: "pebble", ask: []string{"version", "--client"}, configure: configurePebble},
		{name: "process-compose", program: "process-compose", ask: []string{"version"}, configure: configureProcessCompose},
		{name: "hivemind", program: "hivemind", ask: []string{"--version"}, once: true, configure: procfile("hivemind")},
		{name: "goreman", program: "goreman", ask: []string{"version"}, once: true, configure: procfile("goreman", "-rpc-server=false", "-f")},
		{name: nameRun, program: "lastcall", single: true, configure: inits("lastcall", "run")},
		{name: "tini", program: "tini", ask: []string{"--version"}, single: true, configure: inits("tini")},
		{name: "tini -g", program: "tini", ask: []string{"--version"}, single: true, configure: inits("tini", "-g")},
		{name: "dumb-init", program: "dumb-init", ask: []string{"--version"}, single: true, configure: inits("dumb-init")},
		{name: "catatonit", program: "catatonit", ask: []string{"--version"}, single: true, configure: inits("catatonit")},
	}
}

// find looks for the program, and for its version.
func (s *supervisor) find(ctx context.Context, dirs string) error {
	for _, dir := range filepath.SplitList(dirs) {
		path := filepath.Join(dir, s.program)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			var err error
			s.path, err = filepath.Abs(path)
			s.version = s.askVersion(ctx)
			return err
		}
	}
	return exec.ErrNotFound
}

var versionNumber = regexp.MustCompile(`\d+(\.\d+)+[\w.+-]*`)

func (s *supervisor) askVersion(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.path, s.ask...)
	switch {
	case s.pkg != "":
		cmd = exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${Version}", s.pkg)
	case s.ask == nil:
		return ""
	}
	text, _ := cmd.CombinedOutput()
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("{")) { // a log of its own
			continue
		}
		if number := versionNumber.Find(line); number != nil {
			return strings.TrimRight(string(number), ".")
		}
	}
	return ""
}

// environment is what it runs with: files of its own go under dir.
func (s *supervisor) environment(dir, dirs string) []string {
	return append(os.Environ(), "PATH="+dirs, "HOME="+dir, "TMPDIR="+dir, "XDG_RUNTIME_DIR="+dir, "PEBBLE="+filepath.Join(dir, "pebble"))
}

func writeFile(mode os.FileMode, text string, path ...string) error {
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), mode)
}

// each is the text of all children, one after another. NUMBER in it becomes a child's number, COMMAND its command for a
// shell, and LIST its command as a list in JSON.
func each(text string, children [][]string) string {
	var all strings.Builder
	for i, command := range children {
		quoted := make([]string, len(command))
		for j, arg := range command {
			quoted[j] = strconv.Quote(arg)
		}
		all.WriteString(strings.NewReplacer(
			"NUMBER", strconv.Itoa(i), "COMMAND", strings.Join(command, " "), "LIST", "["+strings.Join(quoted, ", ")+"]",
		).Replace(text))
	}
	return all.String()
}

func configureLastcall(dir string, children [][]string, restart bool) ([]string, error) {
	child := "  kNUMBER: { command: LIST }\n"
	if restart {
		child = "  kNUMBER: { command: LIST, restart: always }\n"
	}
	file := filepath.Join(dir, "lastcall.yaml")
	return []string{"lastcall", "up", "-f", file}, writeFile(0o666, "processes:\n"+each(child, children), file)
}

func configureDinit(dir string, children [][]string, restart bool) ([]string, error) {
	how := "no"
	if restart {
		how = "yes"
	}
	for i, command := range children {
		text := fmt.Sprintf("type = process\ncommand = %s\nrestart = %s\n", strings.Join(command, " "), how)
		if err := writeFile(0o666, text, dir, "services", fmt.Sprintf("k%d", i)); err != nil {
			return nil, err
		}
	}
	boot := "type = internal\n" + each("waits-for: kNUMBER\n", children)
	return []string{"dinit", "--container", "-q", "-d", filepath.Join(dir, "services"), "-p", filepath.Join(dir, "control"), "boot"},
		writeFile(0o666, boot, dir, "services", "boot")
}

// scanned is one that looks through a directory of directories with run scripts.
func scanned(argv ...string) func(string, [][]string, bool) ([]string, error) {
	return func(dir string, children [][]string, _ bool) ([]string, error) {
		for i, command := range children {
			script := "#!/bin/sh\nexec " + strings.Join(command, " ") + "\n"
			if err := writeFile(0o777, script, dir, "scan", fmt.Sprintf("k%04d", i), "run"); err != nil {
				return nil, err
			}
		}
		return append(argv, filepath.Join(dir, "scan")), nil
	}
}

func configureSupervisord(dir string, children [][]string, _ bool) ([]string, error) {
	file := filepath.Join(dir, "supervisord.conf")
	text := fmt.Sprintf("[supervisord]\nnodaemon=true\nlogfile=%[1]s/log\npidfile=%[1]s/pid\nchildlogdir=%[1]s\nminfds=%[2]d\n", dir, 1024+5*len(children))
	if all := strings.Join(children[0], " "); len(children) > 1 && each("COMMAND", children) == strings.Repeat(all, len(children)) {
		text += fmt.Sprintf("[program:k]\ncommand=%s\nnumprocs=%d\nprocess_name=k%%(process_num)d\n", all, len(children))
	} else {
		text += each("[program:kNUMBER]\ncommand=COMMAND\n", children)
	}
	return []string{"supervisord", "-n", "-c", file}, writeFile(0o666, text, file)
}

func configurePebble(dir string, children [][]string, _ bool) ([]string, error) {
	layer := "services:\n" + each("  kNUMBER:\n    override: replace\n    command: COMMAND\n    startup: enabled\n", children)
	return []string{"pebble", "run", "--create-dirs"}, writeFile(0o666, layer, dir, "pebble", "layers", "001-children.yaml")
}

func configureProcessCompose(dir string, children [][]string, restart bool) ([]string, error) {
	child := "  kNUMBER:\n    command: exec COMMAND\n"
	if restart {
		child += "    availability:\n      restart: always\n"
	}
	file := filepath.Join(dir, "process-compose.yaml")
	return []string{"process-compose", "up", "-t=false", "--no-server", "-L", filepath.Join(dir, "log"), "-f", file},
		writeFile(0o666, "version: \"0.5\"\nprocesses:\n"+each(child, children), file)
}

// procfile is one that reads a Procfile. Its path follows the last argument; goreman wants its task after that.
func procfile(argv ...string) func(string, [][]string, bool) ([]string, error) {
	return func(dir string, children [][]string, _ bool) ([]string, error) {
		file := filepath.Join(dir, "Procfile")
		command := append(argv[:len(argv):len(argv)], file)
		if argv[0] == "goreman" {
			command = append(command, "start")
		}
		return command, writeFile(0o666, each("kNUMBER: exec COMMAND\n", children), file)
	}
}

func inits(argv ...string) func(string, [][]string, bool) ([]string, error) {
	return func(_ string, children [][]string, _ bool) ([]string, error) {
		return append(append(argv[:len(argv):len(argv)], "--"), children[0]...), nil
	}
}
