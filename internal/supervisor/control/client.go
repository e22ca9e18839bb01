package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/timeline"
)

// Client asks the supervisor that listens at Socket. Its methods are those of a [Backend]; their errors are an [Error],
// or that of the context when it ends.
type Client struct {
	Socket string
	File   string // what the supervisor runs, for messages; "" if that is not known

	within  time.Duration // in place of answerWithin; 0 is that
	largest int64         // in place of largestMessage; 0 is that
}

// List is [Backend.List].
func (c *Client) List(ctx context.Context, usage bool) (list []Instance, err error) {
	ctx, cancel := c.soonAnswered(ctx)
	defer cancel()
	body, err := c.ask(ctx, http.MethodGet, "ps?usage="+strconv.FormatBool(usage), nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if err := json.NewDecoder(c.messages(body)).Decode(&list); err != nil {
		return nil, c.broken(ctx, err)
	}
	return list, nil
}

// WatchQuery says when a list is wanted again.
type WatchQuery struct {
	Every time.Duration // look so often also without a change; 0 never
	Usage bool          // with what the processes use
}

// Watch calls fn with the list now and whenever it has changed, until ctx ends, fn fails, or the supervisor has ended, for
// which it returns nil.
func (c *Client) Watch(ctx context.Context, q WatchQuery, fn func([]Instance) error) error {
	query := url.Values{"every": {q.Every.String()}, "usage": {strconv.FormatBool(q.Usage)}}
	return c.lines(ctx, http.MethodGet, "watch?"+query.Encode(), nil, func(text json.RawMessage) error {
		var list []Instance
		if err := json.Unmarshal(text, &list); err != nil {
			return err
		}
		return fn(list)
	})
}

// Start is [Backend.Start].
func (c *Client) Start(ctx context.Context, names []string, progress func(string)) error {
	return c.order(ctx, "start", order{Names: names}, progress)
}

// Stop is [Backend.Stop].
func (c *Client) Stop(ctx context.Context, names []string, progress func(string)) error {
	return c.order(ctx, "stop", order{Names: names}, progress)
}

// Restart is [Backend.Restart].
func (c *Client) Restart(ctx context.Context, names []string, progress func(string)) error {
	return c.order(ctx, "restart", order{Names: names}, progress)
}

// Reload is [Backend.Reload].
func (c *Client) Reload(ctx context.Context, names []string, progress func(string)) error {
	return c.order(ctx, "reload", order{Names: names}, progress)
}

// Scale is [Backend.Scale].
func (c *Client) Scale(ctx context.Context, instances map[string]int, progress func(string)) error {
	return c.order(ctx, "scale", order{Instances: instances}, progress)
}

// Signal is [Backend.Signal].
func (c *Client) Signal(ctx context.Context, names []string, signal string) error {
	return c.order(ctx, "signal", order{Names: names, Signal: signal}, nil)
}

// Down is [Backend.Down].
func (c *Client) Down(ctx context.Context, progress func(string)) error {
	return c.order(ctx, "down", order{}, progress)
}

// Logs is [Backend.Logs].
func (c *Client) Logs(ctx context.Context, q LogQuery, fn func(Line) error) error {
	query := url.Values{"name": q.Names, "last": {strconv.Itoa(q.Last)}, "follow": {strconv.FormatBool(q.Follow)}}
	return c.lines(ctx, http.MethodGet, "logs?"+query.Encode(), nil, func(text json.RawMessage) error {
		var line Line
		if err := json.Unmarshal(text, &line); err != nil {
			return err
		}
		return fn(line)
	})
}

// Report is [Backend.Report].
func (c *Client) Report(ctx context.Context) (lastcall.Report, error) {
	ctx, cancel := c.soonAnswered(ctx)
	defer cancel()
	body, err := c.ask(ctx, http.MethodGet, "report", nil)
	if err != nil {
		return lastcall.Report{}, err
	}
	defer body.Close()
	doc, err := io.ReadAll(c.messages(body))
	if err != nil {
		return lastcall.Report{}, c.broken(ctx, err)
	}
	return timeline.ReadJSON(bytes.NewReader(doc))
}

// order gives an order and waits for its end. progress may be nil.
func (c *Client) order(ctx context.Context, name string, o order, progress func(string)) error {
	return c.lines(ctx, http.MethodPost, name, marshal(o), func(text json.RawMessage) error {
		var line struct {
			Progress string `json:"progress"`
		}
		if err := json.Unmarshal(text, &line); err != nil {
			return err
		}
		if progress != nil {
			progress(line.Progress)
		}
		return nil
	})
}

// lines reads an answer of lines until its last.
func (c *Client) lines(ctx context.Context, method, query string, body []byte, fn func(json.RawMessage) error) error {
	answer, err := c.ask(ctx, method, query, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	messages := c.messages(answer)
	for d := json.NewDecoder(messages); ; messages.next() {
		var text json.RawMessage
		if err := d.Decode(&text); err != nil {
			return c.broken(ctx, err)
		}
		var end last
		if text[0] == '{' {
			if err := json.Unmarshal(text, &end); err != nil {
				return c.broken(ctx, err)
			}
		}
		switch {
		case end.Error != nil:
			return end.Error.checked()
		case end.Done:
			return nil
		}
		if err := fn(text); err != nil {
			return err
		}
	}
}

// ask sends a request and returns the body of a good answer.
func (c *Client) ask(ctx context.Context, method, query string, body []byte) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://lastcall/"+query, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DialContext: c.dial, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: largestRefusal}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	defer response.Body.Close()
	e := new(Error)
	if err := json.NewDecoder(newMeter(response.Body, largestRefusal)).Decode(e); err != nil {
		return nil, &Error{KindFailed, "lastcall up does not understand this, and may be of another version: " + text.Short(response.Status, 100)}
	}
	return nil, e.checked()
}

// dial connects, and makes sure that it is the supervisor of this user or of root: who asks as root asks anybody.
func (c *Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := checkLength(c.Socket); err != nil {
		return nil, &Error{KindUsage, err.Error()}
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", c.Socket)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, &Error{KindNobody, fmt.Sprintf("no lastcall up runs%s: nobody answers at %s; lastcall up starts it", c.what(), c.Socket)}
	case errors.Is(err, fs.ErrPermission):
		return nil, &Error{KindFailed, "not allowed: " + c.Socket + " belongs to another user"}
	case err != nil:
		return nil, asError(err)
	}
	uid, err := peer(conn.(*net.UnixConn))
	if self := os.Geteuid(); err == nil && self != 0 && uid != 0 && uid != self {
		err = fmt.Errorf("%s belongs to user %d", c.Socket, uid)
	}
	if err != nil {
		conn.Close()
		return nil, asError(err)
	}
	return conn, nil
}

// what is " for FILE" where the file is known.
func (c *Client) what() string {
	if c.File == "" {
		return ""
	}
	return " for " + c.File
}

// broken is the error for an answer that did not come, or not to its end.
func (c *Client) broken(ctx context.Context, err error) error {
	var e *Error
	var syntax *json.SyntaxError
	var other *json.UnmarshalTypeError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &e):
		return e
	case errors.As(err, &syntax), errors.As(err, &other), errors.Is(err, errTooLarge):
		return &Error{KindFailed, "an answer that cannot be read: " + err.Error()}
	}
	return &Error{KindNobody, "the lastcall up" + c.what() + " ended before it answered"}
}
