// Package watch tells when files change. It sleeps until the system says so: nothing is looked at again and again.
package watch

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Options say what is watched.
type Options struct {
	// Paths are files, and directories with all that is below them, also what is made later. They exist.
	Paths []string
	// Ignore are patterns of names, or of paths below a directory of Paths, whose changes do not count. Names that begin with a dot,
	// backups of editors, node_modules and __pycache__ never count below a directory.
	Ignore []string
	// Except are files that never count, nor do those with their names and a suffix: log files and their rotated ones.
	Except []string
	// Quiet is how long nothing must have changed before Changed is called: a program that writes many files is told of once.
	Quiet time.Duration
	// Changed is called with the file that changed last. No two calls overlap.
	Changed func(file string)
}

// A Watcher watches until Close.
type Watcher struct {
	o      Options
	system *fsnotify.Watcher
	files  map[string]bool   // those of Paths that are files
	roots  map[string]string // the directory of Paths that each watched directory is in
	over   sync.WaitGroup
}

// New begins to watch.
func New(o Options) (*Watcher, error) {
	system, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	w := &Watcher{o: o, system: system, files: map[string]bool{}, roots: map[string]string{}}
	for _, name := range o.Paths {
		if err := w.add(filepath.Clean(name)); err != nil {
			system.Close()
			return nil, err
		}
	}
	w.over.Go(w.run)
	return w, nil
}

// Close ends it. Changed is not called any more when it returns, so Changed must not call it.
func (w *Watcher) Close() {
	w.system.Close()
	w.over.Wait()
}

// add watches a file or a directory. A file is watched by its directory: programs replace files rather than write into them.
func (w *Watcher) add(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return w.addTree(name, name)
	}
	w.files[name] = true
	return w.system.Add(filepath.Dir(name))
}

// addTree watches a directory below root, and those in it. What disappears meanwhile is no error.
func (w *Watcher) addTree(dir, root string) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && name != root, err == nil && !d.IsDir():
			return nil
		case err != nil:
			return err
		case name != root && w.ignored(name, root):
			return filepath.SkipDir
		}
		w.roots[name] = root
		if err := w.system.Add(name); err != nil && !(errors.Is(err, fs.ErrNotExist) && name != root) {
			return &fs.PathError{Op: "watch", Path: name, Err: err}
		}
		return nil
	})
}

// run passes changes on until Close.
func (w *Watcher) run() {
	quiet := time.NewTimer(time.Hour)
	quiet.Stop()
	defer quiet.Stop()
	last := ""
	for {
		select {
		case event, ok := <-w.system.Events:
			if !ok {
				return
			}
			if w.counts(event) {
				last = event.Name
				quiet.Reset(w.o.Quiet)
			}
		case err, ok := <-w.system.Errors:
			if !ok {
				return
			}
			if errors.Is(err, fsnotify.ErrEventOverflow) { // there were more changes than the system could tell
				quiet.Reset(w.o.Quiet)
			}
		case <-quiet.C:
			w.o.Changed(last)
		}
	}
}

// counts reports whether an event is a change, and watches a directory that is new.
func (w *Watcher) counts(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod || slices.ContainsFunc(w.o.Except, func(file string) bool { return e.Name == file || strings.HasPrefix(e.Name, file+".") }) {
		return false
	}
	root, below := w.roots[filepath.Dir(e.Name)]
	if !below {
		return w.files[e.Name]
	}
	if w.ignored(e.Name, root) {
		return w.files[e.Name]
	}
	if info, err := os.Stat(e.Name); e.Has(fsnotify.Create) && err == nil && info.IsDir() {
		_ = w.addTree(e.Name, root) // what cannot be watched was told at the start, if it was there
	}
	return true
}

// ignored reports whether changes of a name below root do not count.
func (w *Watcher) ignored(name, root string) bool {
	base := filepath.Base(name)
	if base[0] == '.' || strings.HasSuffix(base, "~") || base == "node_modules" || base == "__pycache__" || base == "4913" { // the last is Vim's
		return true
	}
	below, err := filepath.Rel(root, name)
	if err != nil {
		return false
	}
	for _, pattern := range w.o.Ignore {
		for _, text := range []string{base, filepath.ToSlash(below)} {
			if ok, _ := path.Match(pattern, text); ok {
				return true
			}
		}
	}
	return false
}
