// Package timeline draws a [lastcall.Report] for people, as a picture, and writes it as JSON, which it reads back.
//
//	report := group.Report()            // after Run: how the group stopped; before: how it runs
//	timeline.SVG(picture, report)       // the order, the times, the waits, and the cut work
//	timeline.WriteJSON(file, report)    // for machines, and for later
//	report, err := timeline.ReadJSON(file)
//
// The picture has one row per worker, in stop order. A bar is the time from a worker's soft
// stop to its return; the hatched part is what came after its hard stop; a bar with an open end was abandoned. A dotted
// line is the time in which a worker waited for those that depend on it, each of which comes down to it where it
// returned. The longest chain of them, which is what the whole took, is drawn stronger. The report of a group that is
// not stopping has bars from the start of a worker to now.
//
// The picture is one self-contained SVG file without script and without fonts of its own. It follows the reader's light
// or dark colour scheme, has a title, a description and a tooltip on each row, and says nothing by colour alone.
//
// The terminal's picture of the same is [lastcall.Report.String].
package timeline
