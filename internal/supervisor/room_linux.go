package supervisor

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// openDescriptors are how many this process has.
func openDescriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // the system does not tell
	}
	return len(entries)
}

// processLimits are those that the system tells of: that of this user, from which root is exempt, and those of the control groups.
func processLimits() (list []processLimit) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &limit); err == nil && os.Getuid() != 0 && limit.Cur != unix.RLIM_INFINITY {
		used := allThreads()
		if uint64(used) > limit.Cur/2 { // else it does not matter whose they are
			used = threadsOf(uint32(os.Getuid()))
		}
		list = append(list, processLimit{name: "RLIMIT_NPROC", max: int64(limit.Cur), used: used, ofUser: true})
	}
	for _, dir := range pidsGroups() {
		most, ok := numberIn(filepath.Join(dir, "pids.max"))
		used, known := numberIn(filepath.Join(dir, "pids.current"))
		if ok && known {
			list = append(list, processLimit{name: "pids.max of " + dir, max: most, used: used})
		}
	}
	return list
}

// pidsGroups are the directories of the control groups that count this process, of either version, as far as they can be seen here.
func pidsGroups() (dirs []string) {
	text, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3) // number, controllers, path
		if len(fields) < 3 {
			continue
		}
		root := "/sys/fs/cgroup"
		switch fields[1] {
		case "pids":
			root += "/pids"
		case "": // version 2
		default:
			continue
		}
		for dir := filepath.Join(root, fields[2]); strings.HasPrefix(dir, root); dir = filepath.Dir(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// numberIn is the number in a file; false if there is none, as where it says max.
func numberIn(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// allThreads is how many threads there are, see proc_loadavg(5).
func allThreads() (n int64) {
	text, _ := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(text)); len(fields) > 3 {
		_, all, _ := strings.Cut(fields[3], "/")
		n, _ = strconv.ParseInt(all, 10, 64)
	}
	return n
}

// threadsOf is how many threads a user has.
func threadsOf(uid uint32) (n int64) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		var s syscall.Stat_t
		if err := syscall.Stat("/proc/"+e.Name()+"/task", &s); err == nil && s.Uid == uid {
			n += int64(s.Nlink) - 2
		}
	}
	return n
}
