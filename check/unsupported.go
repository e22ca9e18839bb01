//go:build !unix

package check

import (
	"context"
	"errors"
	"runtime"
)

// Run is not possible here: there are no signals to stop a process softly with.
func (c *Check) Run(context.Context) (*Report, error) {
	return nil, &ConfigError{"Command", errors.New("checking is not supported on " + runtime.GOOS)}
}

// runner plays scenarios, of which there are none here.
type runner struct{}

var scenarios []Scenario
