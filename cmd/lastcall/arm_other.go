//go:build !unix

package main

import "os"

// arm is for systems on which lastcall up says that it does not work there.
func arm() <-chan os.Signal { return nil }
