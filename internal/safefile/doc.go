// Package safefile opens files in places where another user may have a hand.
//
// A daemon that runs as root writes logs and reports into directories that belong to others, and reads files from there.
// Whoever may write to such a directory must not gain root's rights by a link, a FIFO or a device under the expected name.
//
//	text, err := safefile.Read(path, 1<<20)             // bounded, and never waits for long
//
// Read is in read.go.
package safefile
