package control

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// hostile is a client of a server that answers every request with what write writes, until the client has gone.
func hostile(t *testing.T, write func(w io.Writer) error) *Client {
	t.Helper()
	path := socketPath(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil && write(conn) == nil {
					_, _ = io.Copy(io.Discard, conn) // until it has gone
				}
			}()
		}
	}()
	return &Client{Socket: path, File: "/srv/lastcall.yaml", largest: 1 << 20}
}

// A client bounds and checks what it takes: the other end may be another program.
func TestClientBoundsAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n\r\n"
	endless := func(head, part string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, head)
			for err == nil {
				_, err = io.WriteString(w, strings.Repeat(part, 1+10_000/len(part)))
			}
			return err
		}
	}
	whole := func(text string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		}
	}
	calls := map[string]func(context.Context, *Client) error{
		"list":   func(ctx context.Context, c *Client) error { _, err := c.List(ctx, true); return err },
		"report": func(ctx context.Context, c *Client) error { _, err := c.Report(ctx); return err },
		"logs": func(ctx context.Context, c *Client) error {
			return c.Logs(ctx, LogQuery{}, func(Line) error { return nil })
		},
		"order": func(ctx context.Context, c *Client) error { return c.Stop(ctx, []string{"web"}, nil) },
	}
	for _, test := range []struct {
		name  string
		calls string
		write func(io.Writer) error
		kind  Kind
		text  string
	}{
		{"endless list", "list report logs order", endless(ok+"[", `{"name":"x"},`), KindFailed, "too large"},
		{"endless text", "list report logs order", endless(ok+`{"text":"`, "x"), KindFailed, "too large"},
		{"endless spaces", "list report logs order", endless(ok, "\n"), KindFailed, "too large"},
		{"endless header", "list report logs order", endless("HTTP/1.1 200 OK\r\n", "X: y\r\n"), KindNobody, "ended before it answered"},
		{"endless status", "list order", endless("HTTP/1.1 200 ", "x"), KindNobody, "ended before it answered"},
		{"endless refusal", "list report logs order", endless("HTTP/1.1 400 Bad\r\n\r\n"+`{"kind":"usage","error":"`, "x"), KindFailed, "may be of another version: 400 Bad"},
		{"silence", "list report", whole(""), KindNobody, "the lastcall up for /srv/lastcall.yaml did not answer within 100ms"},
		{"silence after a header", "list report", whole(ok + "["), KindNobody, "did not answer within 100ms"},
		{"a kind of its own", "list logs order", whole("HTTP/1.1 500 Bad\r\n\r\n" + `{"kind":"root","error":"a\u001b"}`), KindFailed, "a\x1b"},
		{"other types", "list", whole(ok + `[{"name":7}]`), KindFailed, "cannot be read"},
		{"no list", "list", whole(ok + `"x" `), KindFailed, "cannot be read"},
		{"deep", "list logs", endless(ok, "["), KindFailed, ""},
	} {
		for name := range strings.FieldsSeq(test.calls) {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				c := hostile(t, test.write)
				if test.kind == KindNobody && strings.Contains(test.text, "100ms") {
					c.within = 100 * time.Millisecond
				}
				ctx, cancel := context.WithTimeout(t.Context(), generous)
				defer cancel()
				err := calls[name](ctx, c)
				isKind(t, err, test.kind)
				if err == nil || !strings.Contains(err.Error(), test.text) {
					t.Errorf("%v, want %q", err, test.text)
				}
			})
		}
	}
	long := (&Error{KindUsage, strings.Repeat("ж", longestError)}).checked()
	if n := len(long.Text); n > longestError+3 || !strings.HasSuffix(long.Text, "ж…") {
		t.Errorf("a long text has %d bytes", n)
	}
}
