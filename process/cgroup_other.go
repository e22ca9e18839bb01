//go:build unix && !linux

package process

import "os"

// cgroup is what only Linux has.
type cgroup struct{}

func (c *child) joinGroup() (*os.File, error) { return nil, nil }
func (c *child) leaveGroup()                  {}
func (c *child) killControlGroup()            {}
func (c *child) limitsReached() string        { return "" }
