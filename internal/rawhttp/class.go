package rawhttp

import (
	"fmt"
	"strings"
)

// Class is how an exchange ended.
type Class uint8

const (
	// Answered: a whole response came, whatever its status.
	Answered Class = iota
	// Refused: nobody listens (connection refused).
	Refused
	// NoConnect: the attempt to connect was neither accepted nor refused before it was given up.
	NoConnect
	// RefusedStream: HTTP/2 said that the request was not and will not be processed (above GOAWAY's last stream, or
	// REFUSED_STREAM), so that it is safe to repeat.
	RefusedStream
	// ResetInConnect: the connection was reset while it was being made.
	ResetInConnect
	// Reset: the connection was made, and reset before an answer began.
	Reset
	// ClosedWithoutAnswer: the connection was made, and closed in an orderly way before an answer began.
	ClosedWithoutAnswer
	// CutBody: the answer began and did not end.
	CutBody
	// Timeout: the connection was made, and no whole answer came in time.
	Timeout
	// Broken: the exchange failed for a reason that says nothing of drops, such as an answer that is not HTTP, a
	// certificate, or the client running out of ports.
	Broken

	classes
)

var classNames = [classes]string{
	"answered", "refused", "no connect", "refused stream", "reset in connect", "reset", "closed without answer", "cut body", "timeout", "broken",
}

// String is the class in words.
func (c Class) String() string {
	if c < classes {
		return classNames[c]
	}
	return fmt.Sprintf("Class(%d)", uint8(c))
}

// Dropped reports whether the server took the request, or the connection it was sent on, and did not answer.
func (c Class) Dropped() bool {
	switch c {
	case ResetInConnect, Reset, ClosedWithoutAnswer, CutBody, Timeout:
		return true
	}
	return false
}

// Counts is how many exchanges ended in each class.
type Counts [classes]int

// Dropped is how many were dropped, see [Class.Dropped].
func (c Counts) Dropped() (n int) {
	for class, count := range c {
		if Class(class).Dropped() {
			n += count
		}
	}
	return n
}

// Add adds the counts of other.
func (c *Counts) Add(other Counts) {
	for class, count := range other {
		c[class] += count
	}
}

// String lists the classes that occurred, such as "answered 1200, refused 16".
func (c Counts) String() string {
	var texts []string
	for class, count := range c {
		if count > 0 {
			texts = append(texts, fmt.Sprintf("%s %d", Class(class), count))
		}
	}
	if texts == nil {
		return "no exchanges"
	}
	return strings.Join(texts, ", ")
}
