//go:build !linux

package process

const hasCgroups = false

// Check returns an error: only Linux has control groups.
func (g *Cgroup) Check() error { return errNoCgroups }
