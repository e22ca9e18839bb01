package config

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// isProcfile reports whether a file is a Procfile, by its name.
func isProcfile(path string) bool {
	base := filepath.Base(path)
	return strings.HasPrefix(base, "Procfile") || strings.HasSuffix(base, ".procfile")
}

// procfileLine is NAME: COMMAND, and nothing that begins a structure in YAML.
var procfileLine = regexp.MustCompile(`^[A-Za-z0-9_-]+:[ \t]*[^\s\[{&*!|>]`)

// looksLikeProcfile reports whether a file whose name is not that of a Procfile has nothing but the lines of one, and not all of them are
// keys of a lastcall.yaml.
func looksLikeProcfile(text []byte) bool {
	foreign, keys := false, documentKeys().keys
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		name, _, _ := strings.Cut(line, ":")
		if !procfileLine.MatchString(line) || name == "processes" || name == "include" {
			return false
		}
		foreign = foreign || !slices.ContainsFunc(keys, func(k *key) bool { return k.name == name })
	}
	return foreign
}

// procfile reads lines of the form NAME: COMMAND as foreman does: every process has the variables of .env, a PORT of its own, and its
// name as PS; and any end stops all. Other lines are skipped, with a warning unless they are comments.
func (r *reader) procfile(doc *document, file *source, text []byte, env []string) {
	if !utf8.Valid(text) || strings.Contains(string(text), "\x00") {
		r.wrong(position{file: file}, "", "not UTF-8 text")
		return
	}
	port := r.firstPort(file, env)
	lines := make(map[string]int)
	number := 0
	for line := range strings.SplitSeq(unixLines(strings.TrimPrefix(string(text), "\ufeff")), "\n") {
		number++
		at := position{file, number, 1}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		name, command, ok := strings.Cut(line, ":")
		command = strings.TrimSpace(command)
		if !ok || command == "" {
			r.warn(at, "skipped: not NAME: COMMAND")
			continue
		}
		name = strings.TrimSpace(name)
		if err := checkName(name); err != nil {
			r.warn(at, "skipped: %s", err)
			continue
		}
		if name == reserved {
			r.wrong(at, "", "the name %q is reserved for messages of lastcall itself", name)
			continue
		}
		if first, ok := lines[name]; ok {
			r.wrong(at, "", "duplicate process %q, first defined in line %d", name, first)
			continue
		}
		lines[name] = number
		own := port + 100*len(doc.processes)
		doc.processes = append(doc.processes, &draft{at: at, Process: Process{
			Name:      name,
			Command:   Command{Shell: command},
			Dir:       file.dir,
			Env:       append(without(without(slices.Clone(env), "PORT"), "PS"), "PS="+PS(name, 1), "PORT="+strconv.Itoa(own)),
			Port:      own,
			Instances: 1,
			Kill:      "family",
			Restart:   Restart{When: "never"},
			OnExit:    OnExitEssential,
		}})
	}
}

// firstPort is the PORT of the first process.
func (r *reader) firstPort(file *source, env []string) int {
	text := ""
	if i := indexOf(env, "PORT"); i >= 0 {
		text = strings.TrimPrefix(env[i], "PORT=")
	} else {
		text, _ = r.variables("PORT")
	}
	if text == "" {
		return 5000
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		r.wrong(position{file: file}, "", "PORT is %q in the environment, and must be a number from 1 to 65535", text)
		return 5000
	}
	return int(port)
}

// PS is the value of PS in the environment of the nth instance of a process of a Procfile, as foreman has it.
func PS(name string, n int) string { return name + "." + strconv.Itoa(n) }
