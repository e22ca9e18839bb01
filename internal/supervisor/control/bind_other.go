//go:build !unix

package control

import (
	"net"
	"os"
)

func acquire(string) (*os.File, error)       { return nil, errNotSupported }
func sign(*os.File, string) error            { return errNotSupported }
func release(*os.File)                       {}
func identity(string) (string, error)        { return "", errNotSupported }
func checkDirectory(string) error            { return errNotSupported }
func bind(string) (*net.UnixListener, error) { return nil, errNotSupported }
