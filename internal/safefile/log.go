package safefile

import (
	"io/fs"
	"slices"
)

// LogOptions say how OpenLog opens and makes a file.
type LogOptions struct {
	As    *Rights     // the user who is acted for; nil is the caller
	Mode  fs.FileMode // of the file, also of one that is there; 0: a new one has 0644 less the umask, another keeps its own
	Owner *Owner      // to whom it is given, also one that is there; nil: a new one is whose it is made by, another stays whose it is
}

// Equal reports whether both say the same.
func (o LogOptions) Equal(other LogOptions) bool {
	if (o.As == nil) != (other.As == nil) || (o.Owner == nil) != (other.Owner == nil) || o.Mode != other.Mode {
		return false
	}
	return (o.Owner == nil || *o.Owner == *other.Owner) &&
		(o.As == nil || o.As.UID == other.As.UID && o.As.GID == other.As.GID && slices.Equal(o.As.Groups, other.As.Groups))
}
