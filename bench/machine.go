package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine is what the figures were measured on.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory string `json:"memory,omitempty"`
	System string `json:"system"`
	Go     string `json:"go"`
}

func thisMachine() Machine {
	m := Machine{CPU: runtime.GOARCH, Cores: runtime.NumCPU(), System: runtime.GOOS, Go: runtime.Version()}
	if model := procField("/proc/cpuinfo", "model name"); model != "" {
		m.CPU = model
	}
	if total := memory("MemTotal"); total > 0 {
		m.Memory = fmt.Sprintf("%.0f GB", float64(total)/(1<<30))
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		// The numbers are what matters; what a distributor or a host appends to them is its own affair.
		number, _, _ := strings.Cut(strings.TrimSpace(string(release)), "-")
		m.System = "Linux " + number
	}
	return m
}

// String is one line for people.
func (m Machine) String() string {
	parts := []string{m.CPU, fmt.Sprintf("%d cores", m.Cores)}
	if m.Memory != "" {
		parts = append(parts, m.Memory)
	}
	return strings.Join(append(parts, m.System, m.Go), ", ")
}

// memory is a line of /proc/meminfo in bytes; 0 where the system does not say.
func memory(field string) int64 {
	var kilobytes int64
	fmt.Sscan(procField("/proc/meminfo", field), &kilobytes)
	return kilobytes << 10
}

// procField is the value of the first line "name: value" of a file in /proc.
func procField(file, name string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
