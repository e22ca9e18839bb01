package output

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal: what is written to the second comes out of the first.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

func TestTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	for _, noColour := range []string{"", "1"} {
		t.Setenv("NO_COLOR", noColour)
		master, slave := terminal(t)
		m := newMux(t, Options{Out: slave, Times: "auto"})
		web := newSource(t, m, "web-1", SourceOptions{Process: "web"})
		write(t, web, "plain\n\x1b[2J\x1b[31mred\n10%%\r20%%\r\n")
		flush(t, web)
		m.Message("said")
		r := bufio.NewReader(master)
		code := colours[web.label.colour]
		for _, want := range [][2]string{
			{" \x1b[" + code + "mweb-1    |" + reset + " plain", " web-1    | plain"},
			{" \x1b[" + code + "mweb-1    |" + reset + " \x1b[31mred" + reset, " web-1    | red"},
			{" \x1b[" + code + "mweb-1    |" + reset + " \x1b[31m20%" + reset, " web-1    | 20%"},
			{" \x1b[1mlastcall |" + reset + " said", " lastcall | said"},
		} {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			line = strings.TrimRight(line, "\r\n")
			if _, err := time.Parse(time.TimeOnly, line[:min(8, len(line))]); err != nil {
				t.Errorf("%q does not begin with a time", line)
			}
			equal(t, line[min(8, len(line)):], want[len(noColour)])
		}
	}
}
