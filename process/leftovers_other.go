//go:build !linux

package process

import (
	"context"
	"errors"
)

// Leftovers returns errors.ErrUnsupported: this system does not let the environments of others be read.
func Leftovers(string) ([]Relative, error) { return nil, errors.ErrUnsupported }

// EndLeftovers returns errors.ErrUnsupported.
func EndLeftovers(context.Context, string) ([]Relative, error) { return nil, errors.ErrUnsupported }
