package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// usage is what the threads of a process have done since it started.
type usage struct {
	Waits     int64 `json:"waits"`      // times a thread went to sleep, of all threads: so often it was woken
	MainWaits int64 `json:"main_waits"` // of the first thread
	Preempted int64 `json:"preempted"`  // times a thread lost its processor, of all threads
	CPU       int64 `json:"cpu_ns"`     // of all threads
	Threads   int   `json:"threads"`
}

// threadUsage reads what the kernel counts of the threads of a process.
func threadUsage(pid int) (usage, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err == nil && len(tasks) == 0 {
		err = fmt.Errorf("/proc/%d/task is not there", pid)
	}
	if err != nil {
		return usage{}, err
	}
	var u usage
	for _, task := range tasks {
		var waits, preempted, cpu int64
		status := filepath.Join(task, "status")
		if _, err := fmt.Sscan(procField(status, "voluntary_ctxt_switches"), &waits); err != nil {
			return usage{}, fmt.Errorf("%s: %w", status, err)
		}
		fmt.Sscan(procField(status, "nonvoluntary_ctxt_switches"), &preempted)
		if schedstat, err := os.ReadFile(filepath.Join(task, "schedstat")); err == nil {
			fmt.Sscan(string(schedstat), &cpu)
		}
		u.Waits += waits
		u.Preempted += preempted
		u.CPU += cpu
		u.Threads++
		if strings.HasSuffix(task, fmt.Sprintf("/%d", pid)) {
			u.MainWaits = waits
		}
	}
	return u, nil
}

// since is what was done between two readings.
func (u usage) since(before usage) usage {
	return usage{
		Waits: u.Waits - before.Waits, MainWaits: u.MainWaits - before.MainWaits,
		Preempted: u.Preempted - before.Preempted, CPU: u.CPU - before.CPU, Threads: u.Threads,
	}
}
