package timeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/lastcall-go/lastcall"
)

const (
	// schema tells a report from any other JSON.
	schema = "lastcall.report"
	// version grows when a reader of the one before would misunderstand what it reads. New fields do not do that.
	version = 1
)

// envelope is what a file begins with. It is read alone first, so that a newer report is called that, whatever it holds.
type envelope struct {
	Schema  string `json:"schema"`
	Version int    `json:"version"`
}

// WriteJSON writes r, indented, in an envelope that says what it is:
//
//	{"schema": "lastcall.report", "version": 1, "report": {…}}
//
// Times are RFC 3339, durations are nanoseconds. Text that is not valid UTF-8 has its invalid bytes replaced.
func WriteJSON(w io.Writer, r lastcall.Report) error {
	data, err := json.MarshalIndent(struct {
		envelope
		Report lastcall.Report `json:"report"`
	}{envelope{schema, version}, r}, "", "  ")
	if err != nil {
		return fmt.Errorf("timeline: %w", err)
	}
	_, err = w.Write(append(data, '\n'))
	return err
}

// ReadJSON reads what [WriteJSON] wrote. What is not a report, is cut short, or is of a version that this package does
// not know, is an error of one line that says so. Fields that it does not know are passed over.
func ReadJSON(r io.Reader) (lastcall.Report, error) {
	report, err := readJSON(r)
	if err != nil {
		return lastcall.Report{}, fmt.Errorf("timeline: %w", err)
	}
	return *report, nil
}

func readJSON(r io.Reader) (*lastcall.Report, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("not a report: the input is empty")
	}
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, describe(err, data)
	}
	switch {
	case e.Schema != schema:
		return nil, fmt.Errorf(`not a report: it does not say "schema": %q`, schema)
	case e.Version > version:
		return nil, fmt.Errorf("the report is of version %d and this program reads version %d; read it with a newer lastcall", e.Version, version)
	case e.Version != version:
		return nil, fmt.Errorf("the report is of version %d, which does not exist; this program reads version %d", e.Version, version)
	}
	var body struct {
		Report *lastcall.Report `json:"report"`
	}
	if err := json.Unmarshal(data, &body); err != nil {
		return nil, describe(err, data)
	}
	if body.Report == nil {
		return nil, errors.New(`the report is missing: there is an envelope and no "report" in it`)
	}
	return body.Report, nil
}

// describe says what is wrong in words of the file instead of those of the decoder.
func describe(err error, data []byte) error {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(data)):
		return fmt.Errorf("the report is cut short: it ends after %d bytes in the middle of its JSON", len(data))
	case errors.As(err, &syntax):
		line := 1 + bytes.Count(data[:syntax.Offset], []byte("\n"))
		return fmt.Errorf("not a report: not JSON at line %d: %w", line, err)
	case errors.As(err, &mismatch) && mismatch.Field == "":
		return fmt.Errorf("not a report: a JSON %s and not an object", mismatch.Value)
	case errors.As(err, &mismatch):
		return fmt.Errorf("not a report: %q is a JSON %s", mismatch.Field, mismatch.Value)
	}
	return fmt.Errorf("not a report: %w", err)
}
