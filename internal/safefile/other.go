//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd

package safefile

import (
	"os"
	"path/filepath"
	"strconv"
)

// OpenLog opens a file to append to it, and makes it and its directories. On these systems it does not look whose they are.
func OpenLog(path string, o LogOptions) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	mode := o.Mode
	if mode == 0 {
		mode = 0o644
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, mode)
}

// Rotate renames path to path.1 and so on, and reports that it did.
func Rotate(path string, _ *os.File, keep int, _ LogOptions) (bool, error) {
	if keep <= 0 {
		return true, os.Remove(path)
	}
	for i := keep - 1; i >= 0; i-- {
		from := path
		if i > 0 {
			from += "." + strconv.Itoa(i)
		}
		if err := os.Rename(from, path+"."+strconv.Itoa(i+1)); err != nil && !os.IsNotExist(err) {
			return false, err
		}
	}
	return true, nil
}

// Replace makes text the content of a file, by a new one that takes its place.
func Replace(path string, text []byte) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, text, 0o644)
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

// CanReplace is the error that Replace would return now.
func CanReplace(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	file.Close()
	return os.Remove(file.Name())
}

// ReadOwn is Read.
func ReadOwn(path string, limit int64) ([]byte, error) { return Read(path, limit) }
