package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/lastcall-go/lastcall"
)

// acceptWithin is the time in which a connection must be accepted.
const acceptWithin = time.Second

// accepted is nil if a connection to this machine has been accepted by pid or a descendant of it, or the system does not tell.
func accepted(ctx context.Context, conn net.Conn, pid int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, acceptWithin, errors.New("nobody accepts connections"))
	defer cancel()
	here, there := conn.LocalAddr().(*net.TCPAddr), conn.RemoteAddr().(*net.TCPAddr)
	for pause := 100 * time.Microsecond; ; pause *= 2 {
		inode, err := inodeOf(there.Port, here.Port)
		if err != nil {
			return nil
		}
		if inode != 0 {
			socket := fmt.Sprintf("socket:[%d]", inode)
			err := errShared
			descend(procfs{}, pid, func(k stat) {
				if has, known := hasFile(k.pid, socket); has || !known {
					err = nil
				}
			})
			return err
		}
		if lastcall.Sleep(ctx, pause) != nil {
			return context.Cause(ctx)
		}
	}
}

// inodeOf is the number of the connection from port there to port here, at its end there; 0 as long as nobody has accepted it.
func inodeOf(here, there int) (uint64, error) {
	for _, name := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		table, err := os.ReadFile(name)
		if err != nil {
			if os.IsNotExist(err) {
				continue
			}
			return 0, err
		}
		for line := range bytes.Lines(table) {
			fields := bytes.Fields(line)
			if len(fields) > 9 && portIn(fields[1]) == here && portIn(fields[2]) == there {
				return strconv.ParseUint(string(fields[9]), 10, 64)
			}
		}
	}
	return 0, nil
}

// portIn is the port in an address as /proc has it, such as 0100007F:1F90.
func portIn(address []byte) int {
	_, port, _ := bytes.Cut(address, []byte{':'})
	n, err := strconv.ParseUint(string(port), 16, 16)
	if err != nil {
		return -1
	}
	return int(n)
}

// hasFile reports whether a process has a file open, as far as that is known.
func hasFile(pid int, file string) (has, known bool) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, os.IsNotExist(err) // if not, it may not be looked into
	}
	for _, e := range entries {
		if to, err := os.Readlink(dir + "/" + e.Name()); err == nil && to == file {
			return true, true
		}
	}
	return false, true
}
