//go:build unix

package supervisor

import (
	"io"
	"os"
	"time"

	"github.com/lastcall-go/lastcall/internal/supervisor/output"
)

// flushWithin is how long the end of a process waits for its last lines to be written.
const flushWithin = time.Second

// errorsSuffix follows the name of an instance in the name of the output of its standard error, where that has a file of its own.
const errorsSuffix = ":stderr"

// openOutput opens what the instance writes to. With one that it is to replace it has the same, unless that goes elsewhere now.
func (i *instance) openOutput(old *instance) (err error) {
	d := i.def
	var before, errorsBefore *output.Source
	if old != nil {
		if before, errorsBefore = old.source, old.errors; sameLog(old.def, d) {
			i.source, i.errors = before, errorsBefore
			return nil
		}
	}
	if d.Log.Inherit {
		return nil
	}
	o := output.SourceOptions{
		Process: d.Name, File: d.Log.File, Rotate: d.Log.Rotate, Keep: d.Log.Keep, None: d.Log.None, Log: d.log, Replaces: before,
	}
	if i.source, err = i.s.out.Source(i.name, o); err != nil || d.Log.Stderr == "" {
		return err
	}
	o.File, o.Replaces = d.Log.Stderr, errorsBefore
	if i.errors, err = i.s.out.Source(i.name+errorsSuffix, o); err != nil {
		i.source.Close()
	}
	return err
}

// flush has written what the instance wrote.
func (i *instance) flush() {
	for _, source := range []*output.Source{i.source, i.errors} {
		if source != nil {
			source.Flush(flushWithin)
		}
	}
}

func (i *instance) stdout() io.Writer {
	if i.source == nil {
		return os.Stdout
	}
	return i.source.File()
}

func (i *instance) stderr() io.Writer {
	switch {
	case i.errors != nil:
		return i.errors.File()
	case i.source != nil:
		return i.source.File()
	}
	return os.Stderr
}
