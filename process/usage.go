package process

import "time"

// Usage is what a family has and has used.
type Usage struct {
	Processes int           // alive
	CPU       time.Duration // of those, and of those below them that ended and were waited for
	Memory    uint64        // resident bytes; what several share counts for each
}
