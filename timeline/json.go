package timeline

import (
	"io"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/envelope"
)

var kind = envelope.Kind{Schema: "lastcall.report", Version: 1, Package: "timeline"}

// WriteJSON writes r, indented, in an envelope that says what it is:
//
//	{"schema": "lastcall.report", "version": 1, "report": {…}}
//
// Times are RFC 3339, durations are nanoseconds. Text that is not valid UTF-8 has its invalid bytes replaced.
func WriteJSON(w io.Writer, r lastcall.Report) error { return envelope.Write(kind, w, r) }

// ReadJSON reads a report that [WriteJSON] wrote. Other data, a report that is cut short, and an unknown version are errors
// of one line. Unknown fields are ignored.
func ReadJSON(r io.Reader) (lastcall.Report, error) {
	report, err := envelope.Read[lastcall.Report](kind, r)
	if err != nil {
		return lastcall.Report{}, err
	}
	return *report, nil
}
