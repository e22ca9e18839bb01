package safefile

import "io/fs"

// LogOptions say how OpenLog opens and makes a file.
type LogOptions struct {
	As    *Rights     // the user who is acted for; nil is the caller
	Mode  fs.FileMode // of the file, also of one that is there; 0: a new one has 0644 less the umask, another keeps its own
	Owner *Owner      // to whom it is given, also one that is there; nil: a new one is whose it is made by, another stays whose it is
}
