//go:build !unix

package main

import "os"

// Here the library arms what there is; lastcall up says that it does not work.
var stopSignals, reloadSignals, reportSignals []os.Signal

func arm(...[]os.Signal) <-chan os.Signal { return nil }

func reapAsPID1() {}
