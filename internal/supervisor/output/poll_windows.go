package output

import (
	"errors"
	"fmt"
	"os"
)

// poller is not there: children as workers are not supported on Windows either.
type poller struct{}

func newPoller() (*poller, error) {
	return nil, fmt.Errorf("the output of several processes is not supported on windows: %w", errors.ErrUnsupported)
}

func (p *poller) add(int) error               { return errors.ErrUnsupported }
func (p *poller) remove(int)                  {}
func (p *poller) wait(*[turns]int, bool) int  { return 0 }
func (p *poller) close()                      {}
func newPipe() (int, *os.File, error)         { return -1, nil, errors.ErrUnsupported }
func readSome(int, []byte) int                { return 0 }
func writeAll(int, []byte) (n int, err error) { return 0, errors.ErrUnsupported }
func closeFD(int)                             {}
func isTerminal(*os.File) bool                { return false }
func isJournal(*os.File) bool                 { return false }
