//go:build !linux

package output

// unread is not told: that somebody reads is seen when more can be written.
func unread(int) int { return 0 }
