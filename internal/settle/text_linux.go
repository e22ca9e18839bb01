package settle

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// dropText gives back the pages of the program's file that were read for the start, see MADV_DONTNEED in madvise(2): the kernel
// keeps them as long as it has no better use for them, and what is needed again comes again. Only what nobody can write to, and
// nobody has written to, is given back: a position-independent program's read-only data has been relocated, and that would not
// come again.
func dropText() {
	for _, m := range unwritten() {
		_, _, _ = unix.RawSyscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED)
	}
}

type mapping struct{ from, to uintptr }

// unwritten are the mappings of the program's file of which nothing differs from the file, see proc_pid_smaps(5).
func unwritten() (all []mapping) {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return nil
	}
	defer maps.Close()
	var m mapping // of the file, and read-only; otherwise nothing
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) < 2:
		case fields[0] == "Anonymous:":
			if m.to != 0 && fields[1] == "0" {
				all = append(all, m)
			}
		case !strings.HasSuffix(fields[0], ":"): // another begins
			m = mapping{}
			if len(fields) == 6 && fields[5] == exe && (fields[1] == "r-xp" || fields[1] == "r--p") {
				m = parse(fields[0])
			}
		}
	}
	return all
}

func parse(s string) mapping {
	first, last, _ := strings.Cut(s, "-")
	from, err := strconv.ParseUint(first, 16, 64)
	to, err2 := strconv.ParseUint(last, 16, 64)
	if err != nil || err2 != nil {
		return mapping{}
	}
	return mapping{uintptr(from), uintptr(to)}
}
