//go:build unix

package process

// Preflight looks whether this process can start children and stop them well. The error says what makes that impossible here,
// such as a limit of address space that the Go runtime cannot live with; lacks is what it must do without, in one line each.
// A program calls it before it starts anything.
func Preflight() (lacks []string, err error) { return preflight() }
