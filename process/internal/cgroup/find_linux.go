package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

var (
	errNone    = errors.New("this system has no cgroup v2")
	errUnseen  = errors.New("no cgroup2 file system is mounted where this process sees it")
	errOutside = errors.New("the cgroup of this process is outside of the cgroup2 file system that it sees")
)

// Find finds the control group of this process. own reports whether a process is this one or descends from it.
func Find(own func(pid int) bool) (*Home, error) {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	dir, err := directory(string(groups), string(mounts))
	if err != nil {
		return nil, err
	}
	return &Home{dir: dir, own: own, first: versionOne(string(groups))}, nil
}

// directory is where the control group is mounted that /proc/PID/cgroup names, see proc_pid_mountinfo(5).
func directory(groups, mounts string) (string, error) {
	path, is := pathIn(groups)
	if !is {
		return "", errNone
	}
	err := errUnseen
	for line := range strings.Lines(mounts) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if kind, _, _ := strings.Cut(after, " "); kind != "cgroup2" || len(fields) < 5 {
			continue
		}
		root, at := unescape(fields[3]), unescape(fields[4])
		rest, below := strings.CutPrefix(path, strings.TrimSuffix(root, "/"))
		if !below || rest != "" && rest[0] != '/' || strings.Contains(path+"/", "/../") {
			err = errOutside
			continue
		}
		return filepath.Join(at, rest), nil
	}
	return "", err
}

// pathIn is the path of version 2 in a /proc/PID/cgroup.
func pathIn(groups string) (path string, is bool) {
	for line := range strings.Lines(groups) {
		if path, is = strings.CutPrefix(line, "0::"); is {
			return strings.TrimSuffix(strings.TrimSuffix(path, "\n"), " (deleted)"), true
		}
	}
	return "", false
}

// versionOne are the controllers that version 1 has.
func versionOne(groups string) map[string]bool {
	has := map[string]bool{}
	for line := range strings.Lines(groups) {
		if fields := strings.SplitN(line, ":", 3); len(fields) == 3 {
			for name := range strings.SplitSeq(fields[1], ",") {
				has[name] = name != ""
			}
		}
	}
	return has
}

// unescape undoes how mountinfo writes spaces, tabs, line breaks and backslashes: \040.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) {
			if c, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
