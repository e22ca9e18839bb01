package check

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Format is what a report calls itself, as "schema", which tells it from any other JSON.
const Format = "lastcall.check"

// version grows when a reader of the one before would misunderstand what it reads. New fields do not do that.
const version = 1

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of what [WriteJSON] writes.
func Schema() []byte { return slices.Clone(schema) }

// envelope is what a file begins with. It is read alone first, so that a newer report is called that, whatever it holds.
type envelope struct {
	Schema  string `json:"schema"`
	Version int    `json:"version"`
}

// WriteJSON writes r, indented, in an envelope that says what it is:
//
//	{"schema": "lastcall.check", "version": 1, "report": {…}}
//
// Times are RFC 3339, durations are nanoseconds. Text that is not valid UTF-8 has its invalid bytes replaced.
func WriteJSON(w io.Writer, r *Report) error {
	own := *r
	if own.Results == nil {
		own.Results = []Result{} // a list in JSON, too
	}
	data, err := json.MarshalIndent(struct {
		envelope
		Report *Report `json:"report"`
	}{envelope{Format, version}, &own}, "", "  ")
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	_, err = w.Write(append(data, '\n'))
	return err
}

// ReadJSON reads what [WriteJSON] wrote. What is not a report, is cut short, or is of a version that this package does
// not know, is an error of one line that says so. Fields that it does not know are passed over.
func ReadJSON(r io.Reader) (*Report, error) {
	report, err := readJSON(r)
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	return report, nil
}

func readJSON(r io.Reader) (*Report, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("not a report: the input is empty")
	}
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, badJSON(err, data)
	}
	switch {
	case e.Schema != Format:
		return nil, fmt.Errorf(`not a report: it does not say "schema": %q`, Format)
	case e.Version > version:
		return nil, fmt.Errorf("the report is of version %d and this program reads version %d; read it with a newer lastcall", e.Version, version)
	case e.Version != version:
		return nil, fmt.Errorf("the report is of version %d, which does not exist; this program reads version %d", e.Version, version)
	}
	var body struct {
		Report *Report `json:"report"`
	}
	if err := json.Unmarshal(data, &body); err != nil {
		return nil, badJSON(err, data)
	}
	if body.Report == nil {
		return nil, errors.New(`the report is missing: there is an envelope and no "report" in it`)
	}
	return body.Report, nil
}

// badJSON says what is wrong in words of the file instead of those of the decoder.
func badJSON(err error, data []byte) error {
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
