package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// What a client takes from the other end, which may be another program: of another user if root asks, or of another version.
const (
	largestMessage = 64 << 20         // bytes of one list, line or report
	largestRefusal = 64 << 10         // bytes of an answer that is an error, and of the header of any
	longestError   = 4 << 10          // bytes of the text of an error
	answerWithin   = 30 * time.Second // for a question that is answered at once
)

var errTooLarge = errors.New("it is too large")

// meter reads messages, each of which has a bound.
type meter struct {
	r     io.Reader
	bound int64
	left  int64
}

func newMeter(r io.Reader, bound int64) *meter { return &meter{r, bound, bound} }

// next begins another message.
func (m *meter) next() { m.left = m.bound }

// Read fails at the bound.
func (m *meter) Read(b []byte) (int, error) {
	if m.left <= 0 {
		return 0, errTooLarge
	}
	n, err := m.r.Read(b[:min(int64(len(b)), m.left)])
	m.left -= int64(n)
	return n, err
}

// kinds are all that an answer may have.
var kinds = []Kind{KindFailed, KindUsage, KindStart, KindCut, KindNobody, KindLeaving}

// checked is an error of an answer with a known kind, and a text that is not too long.
func (e *Error) checked() *Error {
	if !slices.Contains(kinds, e.Kind) {
		e.Kind = KindFailed
	}
	if len(e.Text) > longestError {
		e.Text = strings.ToValidUTF8(e.Text[:longestError], "") + "…"
	}
	return e
}

// soonAnswered is ctx for a question that is answered at once by a supervisor that is not halted.
func (c *Client) soonAnswered(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.patience(), &Error{KindNobody, fmt.Sprintf("the lastcall up%s did not answer within %v", c.what(), c.patience())})
}

// messages reads an answer.
func (c *Client) messages(answer io.Reader) *meter {
	bound := int64(largestMessage)
	if c.largest > 0 {
		bound = c.largest
	}
	return newMeter(answer, bound)
}

func (c *Client) patience() time.Duration {
	if c.within > 0 {
		return c.within
	}
	return answerWithin
}
