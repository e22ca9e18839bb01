package output

import (
	"bytes"
	"fmt"

	"github.com/lastcall-go/lastcall/internal/text"
)

// note counts the lines that a write which failed leaves unwritten, and says so when that begins. err nil is a write that did not fail.
func (k *sink) note(err error, rest []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil && k.refused == nil && k.m.failed != nil {
		go k.m.failed(err) // which may have to wait itself
	}
	if k.refused = err; err != nil {
		k.refusal = err
		k.unwritten += bytes.Count(rest, newline)
	}
}

// unwrittenError says how many lines could not be written; nil if all could.
func (k *sink) unwrittenError() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.unwritten == 0 {
		return nil
	}
	return fmt.Errorf("%s of output could not be written: %w", text.Count(k.unwritten, "line"), k.refusal)
}

// giveUp throws away what nobody has read, and returns how many lines that were.
func (k *sink) giveUp() int {
	k.mu.Lock()
	k.gaveUp = true
	if len(k.unread) == 0 { // it is not being written, so that it goes on, to its end
		k.mu.Unlock()
		<-k.done
		return k.lost
	}
	defer k.mu.Unlock() // until then the goroutine does not get on
	lines := bytes.Count(k.unread, newline) + bytes.Count(k.ahead, newline) + k.waiting
	buf := make([]byte, pipeHolds)
	for _, s := range k.sources {
		n := readSome(s.fd, buf)
		lines += bytes.Count(buf[:n], newline)
		if n > 0 && buf[n-1] != '\n' || n == 0 && len(s.part) > 0 {
			lines++
		}
	}
	return lines
}
