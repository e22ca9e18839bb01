//go:build unix

package check

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"syscall"
)

// An order is what the check tells its guard: a byte, and for the orders to start eight more with the length of what follows, and
// the descriptor for the daemon's output beside them.
const (
	orderStart = 's' // the daemon
	orderFirst = 'f' // the same, as PID 1 of a namespace
	orderBury  = 'b' // its dead: the check has a handle of the daemon, so that no number means somebody else
	orderEnd   = 'e' // whatever is there
)

// What the guard says, in lines. Times are those of [monotonic].
const (
	saysReady   = "ready"   // PID
	saysError   = "error"   // ERRNO
	saysStarted = "started" // PID TIME
	saysExited  = "exited"  // WAIT-STATUS TIME
	saysAlone   = "alone"   // nothing is left that descends from the daemon, where the system tells
	saysLeft    = "left"    // PID: that cannot be killed
	saysOver    = "over"    // the order to end is carried out
	saysTraced  = "traced"  // PID: that asked the guard to trace it, and was let go
	saysLost    = "lost"    // WAIT-STATUS: of the guard, which its watchdog says
)

// saying is one line of it.
type saying struct {
	word string
	n    int
	ns   int64
}

// longestSaying is more bytes than any line has.
const longestSaying = 256

// errUnsaid is about a line that no guard says.
var errUnsaid = errors.New("speaks another's language over its connection, which another process has taken")

// numbers are how many of them follow each word.
var numbers = map[string]int{
	saysReady: 1, saysError: 1, saysStarted: 2, saysExited: 2, saysAlone: 0, saysLeft: 1, saysOver: 0, saysTraced: 1, saysLost: 1,
}

func parseSaying(line string) (s saying, err error) {
	fields := strings.Split(line, " ")
	want, known := numbers[fields[0]]
	if !known || len(fields) != 1+want {
		return s, errUnsaid
	}
	s.word = fields[0]
	for i, field := range fields[1:] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil || n < 0 || i == 0 && n > math.MaxInt32 {
			return s, errUnsaid
		}
		if i == 0 {
			s.n = int(n)
		} else {
			s.ns = n
		}
	}
	return s, nil
}

// sayer is what a process says over the connection to the check.
func sayer(conn io.Writer) func(word string, args ...int64) {
	return func(word string, args ...int64) {
		line := word
		for _, n := range args {
			line += " " + strconv.FormatInt(n, 10)
		}
		_, _ = io.WriteString(conn, line+"\n") // one write: nothing comes in between
	}
}

// order is one order.
type order struct {
	kind   byte
	output int // the descriptor
	program
}

// program is what is executed.
type program struct {
	path, dir string
	argv, env []string
}

// encode is the program as decode reads it. What it consists of has no zero bytes, or it could not be executed.
func (p program) encode() []byte {
	return []byte(strings.Join(append(append([]string{p.path, p.dir, strconv.Itoa(len(p.argv))}, p.argv...), p.env...), "\x00"))
}

func decodeProgram(text []byte) (p program, err error) {
	fields := strings.Split(string(text), "\x00")
	if len(fields) < 3 {
		return p, errors.New("too short")
	}
	n, err := strconv.Atoi(fields[2])
	if err != nil || n < 0 || len(fields) < 3+n {
		return p, fmt.Errorf("not a number of arguments: %q", fields[2])
	}
	return program{path: fields[0], dir: fields[1], argv: fields[3 : 3+n], env: fields[3+n:]}, nil
}

// nextOrder waits for one.
func nextOrder() (o order, err error) {
	o.output = -1
	head := make([]byte, 9)
	rights := make([]byte, syscall.CmsgSpace(4))
	var n, count int
	for {
		if n, count, _, _, err = syscall.Recvmsg(guardConn, head[:1], rights, 0); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return o, err
	}
	if messages, err := syscall.ParseSocketControlMessage(rights[:count]); err == nil && len(messages) > 0 {
		if fds, err := syscall.ParseUnixRights(&messages[0]); err == nil && len(fds) > 0 {
			o.output = fds[0]
			syscall.CloseOnExec(o.output)
		}
	}
	if o.kind = head[0]; o.kind != orderStart && o.kind != orderFirst {
		return o, nil
	}
	if err := readFull(head[1:]); err != nil {
		return o, err
	}
	text := make([]byte, binary.BigEndian.Uint64(head[1:]))
	if err := readFull(text); err != nil {
		return o, err
	}
	o.program, err = decodeProgram(text)
	return o, err
}

// readFull fills b from the connection.
func readFull(b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Read(guardConn, b)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return err
		case n == 0:
			return io.ErrUnexpectedEOF
		default:
			b = b[n:]
		}
	}
	return nil
}
