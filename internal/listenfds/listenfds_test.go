package listenfds

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

func environ(pid, fds, names string) func(string) string {
	return func(name string) string {
		return map[string]string{"LISTEN_PID": pid, "LISTEN_FDS": fds, "LISTEN_FDNAMES": names}[name]
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct {
		pid, fds, names string
		want            []string
	}{
		{"7", "2", "a:b", []string{"a", "b"}}, {"7", "2", "a:b:c", []string{"a", "b"}}, {"7", "3", "a", []string{"a", "", ""}},
		{"7", "1", "", []string{""}}, {"8", "1", "a", nil}, {"", "1", "a", nil}, {"7", "0", "", nil}, {"7", "-1", "", nil}, {"7", "x", "", nil},
		{"7", "", "a", nil}, {"7", "2000000000", "", nil}, {"7", "9223372036854775807", "", nil}, {"7", "2", ":b", []string{"", "b"}},
	} {
		if got := Names(environ(test.pid, test.fds, test.names), 7); !slices.Equal(got, test.want) {
			t.Errorf("%+v: got %q", test, got)
		}
	}
}

// Whatever the variables hold, there are as many names as it says sockets, none of them with a colon, and not too many.
func FuzzNames(f *testing.F) {
	f.Add("1", "1", "web")
	f.Add("1", "3", "a::b")
	f.Add("1", "2000000000", "")
	f.Fuzz(func(t *testing.T, pid, fds, names string) {
		got := Names(environ(pid, fds, names), 1)
		if got == nil {
			return
		}
		if n, err := strconv.Atoi(fds); err != nil || n != len(got) || n > most || pid != "1" {
			t.Fatalf("%d names for LISTEN_PID=%q LISTEN_FDS=%q", len(got), pid, fds)
		}
		if slices.ContainsFunc(got, func(name string) bool { return strings.Contains(name, ":") }) {
			t.Fatalf("%q are %q", names, got)
		}
	})
}
