//go:build unix && !linux

package process

import "context"

// Claim is [Adopt]: this system tells whose an orphan is, or gives it to its init.
func Claim() bool { return Adopt() }

// Strays are none.
func Strays() (list, spared []Relative) { return nil, nil }

// EndStrays does nothing.
func EndStrays(context.Context) ([]Relative, error) { return nil, nil }

func (f *family) beginStop() {}
