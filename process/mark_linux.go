package process

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// familyMark is the mark in the environment of a process; "" if it cannot be read or there is none. One that is in execve(2) has
// lost its environment and not got the new one, which is when the parent may go on, and end: it is waited for.
func familyMark(pid int) string {
	env, err := environOf(pid)
	for limit := time.Now().Add(execLimit); len(env) == 0 && err == nil && time.Now().Before(limit); env, err = environOf(pid) {
		if k, ok := statOf(pid); !ok || k.ending || k.bare {
			break
		}
		time.Sleep(time.Millisecond) // nothing tells of it
	}
	return markIn(env)
}

// markIn is the mark in an environment.
func markIn(env []byte) string {
	for kv := range bytes.SplitSeq(env, []byte{0}) {
		if value, ok := bytes.CutPrefix(kv, []byte(familyVariable+"=")); ok {
			return string(value)
		}
	}
	return ""
}

// execLimit is how long execve(2) may take, on a machine that is busy.
const execLimit = time.Second

// environOf is the environment of a process, see proc_pid_environ(5). A first thread that has ended before the others has none any
// more, so they are asked too.
func environOf(pid int) ([]byte, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	env, err := readEnviron(dir)
	if err == nil && len(env) == 0 {
		threads, _ := entriesOf(dir + "/task")
		for _, t := range threads {
			if env, _ = readEnviron(dir + "/task/" + t.Name()); len(env) > 0 {
				break
			}
		}
	}
	return env, err
}

// readEnviron reads one of them, also where no descriptor is left. It may have to wait, see execve(2).
func readEnviron(dir string) (env []byte, err error) {
	err = withSpare(func() error {
		env, err = os.ReadFile(dir + "/environ")
		return err
	})
	return env, err
}
