package demo

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// An order is a client's request. Its job is what a consumer has to do for it afterwards.
type order struct {
	ID  uint64 `json:"id"`
	Key string `json:"key"` // chosen by the client, to find the order again
}

// record is a line of the journal.
type record struct {
	Op string `json:"op"` // "order" or "done"
	order
}

// A journal is a file to which orders are appended, and a line when an order's job is done. A line is on the disk when
// the call that wrote it returns.
type journal struct {
	mu   sync.Mutex
	file *os.File
	next uint64
	lose func(order) bool // for tests: orders that are acknowledged and not written
}

// openJournal opens or creates the file at path, and returns it with its contents. A crash may leave a last line
// without its end, which was never acknowledged; it is cut off.
func openJournal(path string) (*journal, *contents, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	held, err := readRecords(file)
	if err == nil {
		err = file.Truncate(held.size)
	}
	if err == nil {
		_, err = file.Seek(held.size, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return &journal{file: file, next: held.last + 1}, held, nil
}

// add writes an order with this key and returns it with its number.
func (j *journal) add(key string) (order, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	o := order{ID: j.next, Key: key}
	j.next++
	if j.lose != nil && j.lose(o) {
		return o, nil
	}
	return o, j.append(record{"order", o})
}

// done records that the job of o is done.
func (j *journal) done(o order) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.append(record{"done", o})
}

// append writes one line and waits until it is on the disk.
func (j *journal) append(r record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return j.file.Sync()
}

// close closes the file. Later writes fail.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}

// contents is what a journal holds.
type contents struct {
	orders map[uint64]order
	done   map[uint64]int // how often the job was done
	last   uint64         // the highest number
	size   int64          // of the whole lines
}

// pending returns the orders whose job is not done, in order.
func (c *contents) pending() []order {
	var pending []order
	for id := uint64(1); id <= c.last; id++ {
		if o, ok := c.orders[id]; ok && c.done[id] == 0 {
			pending = append(pending, o)
		}
	}
	return pending
}

// readJournal reads the file at path from the disk.
func readJournal(path string) (*contents, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	held, err := readRecords(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return held, nil
}

func readRecords(r io.Reader) (*contents, error) {
	c := &contents{orders: make(map[uint64]order), done: make(map[uint64]int)}
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return nil, err
		}
		var rec record
		if err := json.Unmarshal(line, &rec); err != nil {
			return nil, fmt.Errorf("line %d is not of a journal: %w", n, err)
		}
		switch rec.Op {
		case "order":
			c.orders[rec.ID] = rec.order
		case "done":
			c.done[rec.ID]++
		default:
			return nil, fmt.Errorf("line %d is not of a journal: unknown op %q", n, rec.Op)
		}
		c.last = max(c.last, rec.ID)
		c.size += int64(len(line))
	}
}
