//go:build !unix

package serve

// closeOnExec has nothing to do where descriptors are not inherited by default.
func closeOnExec(int) {}
