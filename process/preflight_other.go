//go:build unix && !linux

package process

// preflight has nothing to look at: what the system lacks is always so, see Features.
func preflight() ([]string, error) { return nil, nil }
