package process

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	hasCapabilities = true
	hasNoNewPrivs   = true
)

// parent is the process that started this one, which is another if that has ended.
var parent = os.Getppid()

// doHere is a step that only this system has.
func (s step) doHere() error {
	switch s.name {
	case deathStep:
		// The kernel forgets it when the user changes, see PR_SET_PDEATHSIG in prctl(2).
		if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(s.values[0]), 0, 0, 0); err != nil {
			return err
		}
		if os.Getppid() != parent {
			return syscall.Kill(os.Getpid(), syscall.Signal(s.values[0]))
		}
		return nil
	case cgroupStep:
		defer unix.Close(int(s.values[0]))
		_, err := unix.Write(int(s.values[0]), []byte("0"))
		return err
	case boundStep:
		return bound(s.values[0])
	case holdStep:
		return hold(s.values[0])
	case noPrivsStep:
		return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	return errors.ErrUnsupported
}

// bound leaves only these in the bounding set, which is what this process and its descendants can ever have.
func bound(set uint64) error {
	for c := uintptr(0); c < 64; c++ {
		is, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if err != nil {
			return nil // the kernel has no more
		}
		if is != 0 && set&(1<<c) == 0 {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// hold leaves only these in the other sets.
func hold(set uint64) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	for i := range data {
		mask := uint32(set >> (32 * i))
		data[i].Effective &= mask
		data[i].Permitted &= mask
		data[i].Inheritable &= mask
	}
	return unix.Capset(&header, &data[0])
}

// renounce gives up what the file of this program gives to whoever runs it.
func renounce() {
	const secure = 23 // AT_SECURE, see getauxval(3)
	list, err := unix.Auxv()
	for _, entry := range list {
		if entry[0] == secure && entry[1] == 0 {
			return
		}
	}
	if err == nil {
		_ = hold(0)
	}
}
