package safefile

// Rights are those of a user who is acted for.
type Rights struct {
	UID, GID uint32
	Groups   []uint32 // supplementary
}

// An Owner is who a file is given to; -1 leaves it as it is.
type Owner struct{ UID, GID int }
