package timeline_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/timeline"
)

// A picture of a report, such as that of Group.Report.
func ExampleSVG() {
	var picture strings.Builder
	if err := timeline.SVG(&picture, lastcall.Report{Started: begin, Taken: at(1500), State: lastcall.StateReady}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	for line := range strings.Lines(picture.String()) {
		if strings.HasPrefix(line, "<title") {
			fmt.Print(line)
		}
	}
	// Output: <title id="lc-title">ready, 1.5s after the start</title>
}

// What is written is read back.
func ExampleWriteJSON() {
	var file bytes.Buffer
	if err := timeline.WriteJSON(&file, lastcall.Report{State: lastcall.StateStopped}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	report, err := timeline.ReadJSON(&file)
	fmt.Println(report.State, err)
	// Output: stopped <nil>
}

// What is not a report is an error that says so.
func ExampleReadJSON() {
	_, err := timeline.ReadJSON(strings.NewReader(`{"name": "something else"}`))
	fmt.Println(err)
	// Output: timeline: not a report: it does not say "schema": "lastcall.report"
}
