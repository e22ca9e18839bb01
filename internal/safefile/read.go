package safefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// ErrTooLarge is the error of Read for a file with more than the limit, which may have no end at all.
var ErrTooLarge = errors.New("too large")

// readWithin is how long Read waits for the writer of a FIFO.
var readWithin = 5 * time.Second

// Read returns the content of a file of at most limit bytes. It takes what can be read to its end: a regular file, a FIFO
// such as the shell's <(COMMAND), or a device. It does not wait for a FIFO that has no writer, which is an empty one, and
// gives up after five seconds if the writer does not finish. Errors are of type *fs.PathError.
func Read(path string, limit int64) ([]byte, error) {
	file, err := openToRead(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAll(file, path, limit)
}

// readAll reads an open file to its end.
func readAll(file *os.File, path string, limit int64) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, &fs.PathError{Op: "read", Path: path, Err: err} }
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return fail(errors.New("is a directory"))
	case info.Mode().IsRegular() && info.Size() > limit:
		return fail(ErrTooLarge)
	}
	_ = file.SetReadDeadline(time.Now().Add(readWithin)) // which a regular file does not have, nor need
	text, err := io.ReadAll(io.LimitReader(file, limit+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fail(fmt.Errorf("its writer did not finish within %s", readWithin))
	case err != nil:
		if inner := (*fs.PathError)(nil); errors.As(err, &inner) {
			err = inner.Err
		}
		return fail(err)
	case int64(len(text)) > limit:
		return fail(ErrTooLarge)
	}
	return text, nil
}
