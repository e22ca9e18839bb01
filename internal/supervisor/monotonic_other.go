//go:build unix && !linux

package supervisor

import "time"

// monotonic is 0: only systemd asks for it.
func monotonic() time.Duration { return 0 }
