package lastcall

import "io"

// Listen adds a listener beside the group's own, as Main does.
func Listen(fn func(Event)) RunOption {
	return func(c *control) { c.listeners = append(c.listeners, fn) }
}

// ReportTo sets where the live report is written.
func ReportTo(w io.Writer) RunOption { return func(c *control) { c.reportTo = w } }

// Waterfall is the report as it is drawn for a terminal of that width.
func (r Report) Waterfall(width int, ascii bool) string { return r.waterfall(width, ascii) }
