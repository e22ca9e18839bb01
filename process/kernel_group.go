//go:build unix && !linux && !freebsd

package process

import (
	"errors"
	"syscall"
)

// adopt is impossible: this system gives orphans to its init, and tells nobody whose they were.
func (native) adopt() error { return errors.ErrUnsupported }

func (native) killTree(int) error { return errors.ErrUnsupported }

func (native) finder(r *registry) finder { return &groupFinder{registry: r, list: listGroup} }

// killWithParent does nothing: this system tells no child that its parent has ended.
func killWithParent(*syscall.SysProcAttr) {}
