//go:build !linux

package process

import (
	"errors"
	"runtime"
)

// Features is what this system has of what this package uses.
func Features() []Feature {
	var every, reaper error
	if runtime.GOOS == "windows" {
		every = errors.New("child processes are not supported on this system")
	}
	exits := "SIGCHLD"
	switch runtime.GOOS {
	case "darwin", "dragonfly", "freebsd", "netbsd", "openbsd":
		exits = "kqueue"
	}
	if runtime.GOOS != "freebsd" {
		reaper = errors.New("this system gives orphans to its init, and tells nobody whose they were")
	}
	lacks := errors.New("this system tells it of one process at a time, or not at all")
	var rights error
	if !hasNoNewPrivs {
		rights = errors.New("this system has nothing like it")
	}
	limits := "setrlimit"
	if !memoryLimit {
		limits += ", without memory"
	}
	return []Feature{
		feature("exits", "the end of a process is an event", exits, every),
		feature("reaper", "orphans come to this process", "PROC_REAP_ACQUIRE", reaper),
		feature("family", "descendants that left group or session are found", "PROC_REAP_GETPIDS", reaper),
		feature("pdeathsig", "children die with this process", "PROC_PDEATHSIG_CTL", reaper),
		feature("credentials", "who sends to NOTIFY_SOCKET is checked", "",
			errors.New("its name is secret instead, in a directory that cannot be listed")),
		feature("leftovers", "what outlived an earlier supervisor is found", "", lacks),
		feature("usage", "processor time and memory of a family", "", lacks),
		feature("limits", "nofile, core, memory and cpu time of each process, number of processes", limits, every),
		feature("cgroups", "limits of a family together, which is killed at one time", "", errNoCgroups),
		feature("rights", "rights are given up: no_new_privs", "PROC_NO_NEW_PRIVS_CTL", rights),
	}
}
