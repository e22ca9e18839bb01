package process

import (
	"errors"
	"slices"
	"syscall"
)

// lacks are what the system says when it has no descriptor, process or memory left.
var lacks = []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.EAGAIN, syscall.ENOMEM, syscall.ENOBUFS}

// Exhausted reports whether err is a [StartError] because the system had no descriptor, process or memory left, for this process, its
// user or all: nothing is wrong with the program, none of it has run, and a later try may succeed.
func Exhausted(err error) bool {
	var start *StartError
	return errors.As(err, &start) && lacking(start.Err)
}

func lacking(err error) bool {
	return slices.ContainsFunc(lacks, func(errno syscall.Errno) bool { return errors.Is(err, errno) })
}
