package output

import (
	"bytes"
	"fmt"
	"os"

	"github.com/lastcall-go/lastcall/internal/safefile"
)

// logFile is a file that takes the lines of a source as they are, or of several. What no goroutine but the sink's needs
// has no lock.
type logFile struct {
	m     *Mux
	path  string
	users int // guarded by m.mu

	options logOptions

	file   *os.File // nil if it could not be opened again
	size   int64    // since the last rotation; -1 if the file is none that can be renamed, as a terminal
	torn   *Source  // whose line was begun last and not ended
	failed bool     // this was said
	lost   int64    // bytes, since
}

// logOptions are those of a source for its file.
type logOptions struct {
	rotate int64
	keep   int
	open   safefile.LogOptions
}

// broken stands for a source whose line could not be written whole.
var broken = new(Source)

// useLog is the log file at that path, which is opened if it is not. Of several sources the last says how. m.mu is held.
func (m *Mux) useLog(o SourceOptions) (*logFile, error) {
	options := logOptions{o.Rotate, o.Keep, o.Log}
	f := m.logs[o.File]
	if f == nil {
		f = &logFile{m: m, path: o.File, options: options}
		if err := f.open(); err != nil {
			return nil, err
		}
		m.logs[o.File] = f
	} else {
		m.files.post(job{fn: func() { f.change(options) }})
	}
	f.users++
	return f, nil
}

// releaseLog closes the file if nobody else uses it. m.mu is held, and the sink does not use it.
func (m *Mux) releaseLog(f *logFile) {
	if f.users--; f.users == 0 {
		delete(m.logs, f.path)
		f.end()
		if f.file != nil {
			f.file.Close()
		}
	}
}

// end says what is lost for good.
func (f *logFile) end() {
	if f.lost > 0 {
		f.m.Message(fmt.Sprintf("%s: %d bytes are missing", f.path, f.lost))
		f.lost = 0
	}
}

// change gives the file other options.
func (f *logFile) change(o logOptions) {
	before := f.options
	if f.options = o; !before.open.Equal(o.open) {
		if err := f.open(); err != nil {
			f.m.Message(err.Error())
		}
	}
}

// open opens the file, also anew. If that fails, an older one is used on.
func (f *logFile) open() error {
	file, err := safefile.OpenLog(f.path, f.options.open)
	if err != nil {
		return err
	}
	if f.file != nil {
		f.file.Close()
	}
	f.file, f.size, f.torn = file, -1, nil
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		f.size = info.Size()
	}
	return nil
}

// write appends whole lines, or a piece of one. A file ends with a line; it holds more than it is to only if a single line
// does.
func (f *logFile) write(s *Source, b []byte) {
	if f.torn != nil && f.torn != s {
		f.torn = nil
		if before := f.lost; !f.put(newline) { // which nobody wrote
			f.torn, f.lost = broken, before
		}
	}
	for len(b) > 0 {
		n := len(b)
		if f.options.rotate > 0 && f.size >= 0 && f.size+int64(n) > f.options.rotate {
			n = bytes.LastIndexByte(b[:max(f.options.rotate-f.size, 0)], '\n') + 1
			if n == 0 && f.size > 0 && f.torn == nil {
				f.turn()
				continue
			}
			if n == 0 {
				if n = bytes.IndexByte(b, '\n') + 1; n == 0 {
					n = len(b)
				}
			}
		}
		f.put(b[:n])
		if f.torn == nil && b[n-1] != '\n' {
			f.torn = s
		} else if f.torn == s && b[n-1] == '\n' {
			f.torn = nil
		}
		b = b[n:]
	}
}

// put writes b, and reports whether that was possible. What cannot be written is lost, which is said once, and again when it has
// become possible.
func (f *logFile) put(b []byte) bool {
	if f.file == nil {
		if err := f.open(); err != nil {
			f.fail(err, len(b))
			return false
		}
	}
	n, err := f.file.Write(b)
	if f.size >= 0 {
		f.size += int64(n)
	}
	if err != nil {
		if n > 0 && b[n-1] != '\n' {
			f.torn = broken
		}
		f.fail(err, len(b)-n)
		return false
	}
	if f.failed {
		f.m.Message(fmt.Sprintf("%s: it is written again; %d bytes are missing", f.path, f.lost))
		f.failed, f.lost = false, 0
	}
	return true
}

func (f *logFile) fail(err error, lost int) {
	f.lost += int64(lost)
	if !f.failed {
		f.failed = true
		f.m.Message(fmt.Sprintf("%v; lines are lost until this is mended", err))
	}
}

// turn renames FILE to FILE.1, FILE.1 to FILE.2 and so on, and begins a new file. If it cannot, it goes on with the old one
// and tries again when as much has been written once more. A file that somebody has renamed is not: the new one is begun at once.
func (f *logFile) turn() {
	turned, err := safefile.Rotate(f.path, f.file, f.options.keep, f.options.open)
	if err == nil {
		err = f.open()
	}
	if err != nil {
		f.m.Message(fmt.Sprintf("%v; %s grows on", err, f.path))
	}
	if err != nil || !turned && f.size > 0 {
		f.size = 0
	}
}
