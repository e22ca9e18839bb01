package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// glob is the files that a pattern stands for, relative to dir if the pattern is, in order. It is filepath.Glob with bounds:
// on how many files there are, and on how many directories' entries are looked at for them. A directory that cannot be read
// has no entries.
func glob(dir, pattern string) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, err
	}
	looked := 0
	paths := []string{""}
	if filepath.IsAbs(pattern) {
		paths[0] = filepath.VolumeName(pattern) + string(filepath.Separator)
	}
	open := false // a * or its kin came before
	for part := range strings.SplitSeq(strings.TrimPrefix(pattern, filepath.VolumeName(pattern)), string(filepath.Separator)) {
		var next []string
		switch {
		case part == "" || part == ".":
			continue
		case part == ".." && open:
			return nil, errors.New(".. is not allowed after a wildcard")
		case !strings.ContainsAny(part, "*?["):
			for _, path := range paths {
				path = filepath.Join(path, part)
				if _, err := os.Lstat(within(dir, path)); !open || err == nil {
					next = append(next, path)
				}
			}
		default:
			open = true
			for _, path := range paths {
				names, err := entries(within(dir, path), maxLooked-looked)
				if looked += len(names); err != nil {
					return nil, err
				}
				for _, name := range names {
					if ok, _ := filepath.Match(part, name); ok {
						next = append(next, filepath.Join(path, name))
					}
				}
			}
		}
		paths = next
	}
	if len(paths) > maxMatches {
		return nil, fmt.Errorf("matches more than %d files", maxMatches)
	}
	return paths, nil
}

// within is path, which is relative to dir if it is relative.
func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// entries are the names in a directory, in order; none if it cannot be read.
func entries(dir string, most int) ([]string, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, nil
	}
	defer d.Close()
	names, err := d.Readdirnames(most + 1)
	if err != nil { // also at its end
		return nil, nil
	}
	if len(names) > most {
		return nil, fmt.Errorf("would search more than %d names", maxLooked)
	}
	slices.Sort(names)
	return names, nil
}
