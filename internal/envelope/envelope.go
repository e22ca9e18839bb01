// Package envelope writes what is to be read again as JSON in an envelope that says what it is, and reads it with errors in words of
// the file:
//
//	{"schema": "lastcall.report", "version": 1, "report": {…}}
package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/lastcall-go/lastcall/internal/text"
)

// Kind is what an envelope says.
type Kind struct {
	Schema  string // tells it from any other JSON
	Version int    // grows when a reader of the one before would misunderstand what it reads. New fields do not do that
	Package string // whose errors they are: their prefix
}

// header is what a file begins with. It is read alone first, so that a newer report is called that, whatever it holds.
type header struct {
	Schema  string `json:"schema"`
	Version int    `json:"version"`
}

// Write writes the report, indented, and safe to be shown, see [text.JSON].
func Write(k Kind, w io.Writer, report any) error {
	data, err := json.MarshalIndent(struct {
		header
		Report any `json:"report"`
	}{header{k.Schema, k.Version}, report}, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", k.Package, err)
	}
	_, err = w.Write(append(text.JSON(data), '\n'))
	return err
}

// Read reads a report of this kind. What is not one, is cut short, or is of a version that is not this one, is an error of one line that
// says so. Fields that are not known are passed over.
func Read[T any](k Kind, r io.Reader) (*T, error) {
	report, err := read[T](k, r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.Package, err)
	}
	return report, nil
}

func read[T any](k Kind, r io.Reader) (*T, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("not a report: the input is empty")
	}
	var h header
	if err := json.Unmarshal(data, &h); err != nil {
		return nil, describe(err, data)
	}
	switch {
	case h.Schema != k.Schema:
		return nil, fmt.Errorf(`not a report: it does not say "schema": %q`, k.Schema)
	case h.Version > k.Version:
		return nil, fmt.Errorf("the report is of version %d and this program reads version %d; read it with a newer lastcall", h.Version, k.Version)
	case h.Version != k.Version:
		return nil, fmt.Errorf("the report is of version %d, which does not exist; this program reads version %d", h.Version, k.Version)
	}
	var body struct {
		Report *T `json:"report"`
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
