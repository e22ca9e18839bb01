package control

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Path is the default place of the socket of what is run from the file with this name, which need not exist. It is the same for a
// supervisor and its clients whether they reach the file's directory by a link or not.
//
// The directory is lastcall in $XDG_RUNTIME_DIR; else, for root, in /run; else lastcall-UID in that for temporary files.
// Where a supervisor and a client differ in this, one that is there already is taken. So is one whose supervisor came by a link that leads
// elsewhere by now, as that to a new release does, if the file is named by the same path.
func Path(file string) (string, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	files := []string{file}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(file)); err == nil && dir != filepath.Dir(file) {
		files = append(files, filepath.Join(dir, filepath.Base(file)))
	}
	first := ""
	for _, dir := range directories() {
		if err := isPrivate(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		path := ""
		for _, file := range files {
			if path, err = name(dir, file); err != nil {
				return "", err
			}
			if to, err := filepath.EvalSymlinks(path); err == nil && filepath.Dir(to) == realDir(dir) {
				return filepath.Join(dir, filepath.Base(to)), nil
			}
		}
		if first == "" {
			first = path
		}
	}
	return first, nil
}

// realDir is a directory without links in its path.
func realDir(dir string) string {
	if to, err := filepath.EvalSymlinks(dir); err == nil {
		return to
	}
	return dir
}

// directories are where a socket is that nobody has said another place for, the preferred one first.
func directories() (dirs []string) {
	run := "/var/run"
	if runtime.GOOS == "linux" {
		run = "/run"
	}
	if own := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(own) && isOwn(own) == nil { // with sudo it may be another's
		dirs = append(dirs, filepath.Join(own, "lastcall"))
	}
	if os.Geteuid() == 0 && writable(run) {
		dirs = append(dirs, filepath.Join(run, "lastcall"))
	}
	return append(dirs, filepath.Join(os.TempDir(), fmt.Sprintf("lastcall-%d", os.Geteuid())))
}

// name is the socket's path in dir: the name of the file's directory, shortened to what fits, and a hash of its path.
func name(dir, file string) (string, error) {
	hash := fmt.Sprintf("%x.sock", sha256.Sum256([]byte(file)))
	hash = hash[len(hash)-len("12345678.sock"):]
	project := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, filepath.Base(filepath.Dir(file)))
	room := maxPath - len(filepath.Join(dir, hash)) - len("-")
	if project = strings.Trim(project[:max(min(room, len(project), 32), 0)], "_.-"); project != "" {
		hash = project + "-" + hash
	}
	path := filepath.Join(dir, hash)
	return path, checkLength(path)
}

// checkLength says whether the system takes a socket with this path.
func checkLength(path string) error {
	if len(path) <= maxPath {
		return nil
	}
	return fmt.Errorf("the path of the socket has %d bytes, and this system takes %d: %s; choose a shorter one with --socket or LASTCALL_SOCKET",
		len(path), maxPath, path)
}
