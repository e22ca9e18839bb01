package output

import (
	"bytes"
	"encoding/binary"
	"sync"
	"time"
)

// Bytes of lines that are kept, with their times: as many of each source, and never more than that of all together,
// except that a thousand sources have something too. Twice as much may be held.
const (
	keptEach  = 16 << 10
	keptAll   = 2 << 20
	keptLeast = 1 << 10
)

// kept are the last lines of a source: records of a time, a length and whole lines that came together. Nothing is
// allocated before the first.
type kept struct {
	mu        sync.Mutex
	records   []byte
	followers []*follower
}

const header = 8 + 4 // nanoseconds, and the length of what follows

func appendRecord(dst []byte, t int64, lines []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(t))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(lines)))
	return append(dst, lines...)
}

// record takes the first record off.
func record(b []byte) (t int64, lines, rest []byte) {
	t = int64(binary.LittleEndian.Uint64(b))
	n := int(binary.LittleEndian.Uint32(b[8:]))
	return t, b[header : header+n], b[header+n:]
}

// add keeps lines, of which the last is completed by mark and a newline if it has none. Only as many bytes of them as may
// be kept are looked at, so that much output costs little.
func (k *kept) add(l label, t time.Time, lines []byte, mark string, most int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range k.followers {
		f.add(l.name, t, lines, mark)
	}
	end := ""
	if lines[len(lines)-1] != '\n' {
		end = mark + "\n"
	}
	room := most - header - len(end)
	if len(lines) > room {
		k.records = k.records[:0]
		from := len(lines) - room
		if i := bytes.IndexByte(lines[from-1:len(lines)-1], '\n'); i >= 0 {
			lines = lines[from+i:]
		} else { // the last line alone is too long: its beginning is kept
			lines = lines[bytes.LastIndexByte(lines[:len(lines)-1], '\n')+1:]
			end = splitMark + "\n"
			lines = lines[:most-header-len(end)]
		}
	}
	if len(k.records)+header+len(lines)+len(end) > 2*most {
		k.shorten(most - header - len(lines) - len(end))
	}
	if k.records == nil {
		k.records = make([]byte, 0, min(2*most, max(256, header+len(lines)+len(end))))
	}
	k.records = appendRecord(k.records, t.UnixNano(), lines)
	if end != "" {
		at := len(k.records) - len(lines) - 4
		binary.LittleEndian.PutUint32(k.records[at:], uint32(len(lines)+len(end)))
		k.records = append(k.records, end...)
	}
}

// shorten leaves the last lines, at most so many bytes with their headers.
func (k *kept) shorten(most int) {
	rest := k.records
	for len(rest) > most {
		t, lines, after := record(rest)
		over := len(rest) - most
		if over < len(lines) {
			if i := bytes.IndexByte(lines[over-1:len(lines)-1], '\n'); i >= 0 {
				n := appendRecord(k.records[:0], t, lines[over+i:])
				k.records = append(n, after...)
				return
			}
		}
		rest = after
	}
	k.records = append(k.records[:0], rest...)
}

// follow hands f what is kept, and all that comes. It is called before any other goroutine knows of the source, or by
// Tail.
func (k *kept) follow(f *follower) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.followers = append(k.followers, f)
	return bytes.Clone(k.records)
}

func (k *kept) snapshot() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return bytes.Clone(k.records)
}

func (k *kept) unfollow(f *follower) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, other := range k.followers {
		if other == f {
			k.followers = append(k.followers[:i:i], k.followers[i+1:]...)
			return
		}
	}
}
