// Package safefile opens files in places where another user may have a hand.
//
// A daemon that runs as root writes logs and reports into directories that belong to others, and reads files from there.
// Write access to such a directory must not lend root's rights, by a link, a FIFO or a device under the expected name.
//
//	text, err := safefile.Read(path, 1<<20)            // bounded, and never waits for long
//	text, err := safefile.ReadOwn(path, 1<<20)         // and only what the path's owners may show
//	log, err := safefile.OpenLog(path, LogOptions{…})  // append, create, make directories
//	err := safefile.Replace(path, report)              // whole or not at all
//
// All but Read walk to the file from the root directory, one open directory at a time, and follow symbolic links
// themselves, by these rules:
//
//   - A directory is safe if it belongs to root or to the caller and neither its group nor others may write to it. All
//     others are shared: somebody else may change what is in them at any time.
//   - A link is followed if it stands in a safe directory, or belongs to root or the caller. Another user's link is
//     followed only to what that user owns: a file of theirs, or a directory of theirs.
//   - In a shared directory a file with more names than one is refused, since it may be somebody else's file; and in one
//     such as /tmp, to which everyone may write, so is a file of another user.
//   - Only regular files and devices are opened, and nothing is waited for. A FIFO is a file to read, never a log.
//
// A log of a process that runs as another user is opened with that user's rights in a directory that is not root's or the
// caller's, or to which everyone may write: there the kernel decides. So is a directory that is missing there made. Only Linux
// lets one thread act for a user; elsewhere what is made is given to the user, by the rules above.
//
// Read walk_unix.go first.
package safefile
