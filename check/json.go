package check

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/lastcall-go/lastcall/internal/envelope"
)

// Format is what a report calls itself, as "schema", which tells it from any other JSON.
const Format = "lastcall.check"

var kind = envelope.Kind{Schema: Format, Version: 1, Package: "check"}

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of what [WriteJSON] writes.
func Schema() []byte { return slices.Clone(schema) }

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
	return envelope.Write(kind, w, &own)
}

// ReadJSON reads what [WriteJSON] wrote. What is not a report, is cut short, or is of a version that this package does
// not know, is an error of one line that says so, and so is one without a command, or without results and error. Fields that it does
// not know are passed over.
func ReadJSON(r io.Reader) (*Report, error) {
	report, err := envelope.Read[Report](kind, r)
	switch {
	case err != nil:
		return nil, err
	case len(report.Command) == 0:
		return nil, fmt.Errorf("%s: %w", kind.Package, errors.New(`the report has no "command"`))
	case report.Results == nil && report.Error == "":
		return nil, fmt.Errorf("%s: %w", kind.Package, errors.New(`the report has neither "results" nor "error"`))
	}
	return report, nil
}
