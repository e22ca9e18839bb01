//go:build !linux

package main

import (
	"errors"
	"os/exec"
)

func adoptOrphans() error            { return errors.ErrUnsupported }
func firstProcess(*exec.Cmd, string) {}
func mountProc() error               { return errors.ErrUnsupported }
