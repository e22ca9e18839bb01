// Package unixsocket makes sockets in the file system: at a path that may be stale, taken, too long, or in a directory that others may
// write to. Package net alone replaces nothing, and gives a new socket a mode that is right only a moment later.
package unixsocket
