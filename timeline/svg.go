package timeline

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/internal/tty"
)

// style has no variables: renderers other than browsers read the light half of it and pass over the rest.
//
//go:embed svg.css
var style string

// Measures of the picture, in pixels. The font is monospaced, so that the room which a text takes is known.
const (
	margin     = 16.0
	charWidth  = 7.25
	chartWidth = 520.0
	rowHeight  = 22.0
	barHeight  = 12.0
	lineHeight = 17.0
	labelChars = 32 // longer names are clipped; the tooltip has them whole
	noteChars  = 48
	faultLines = 12     // what went wrong is said below the chart, up to so many lines
	maxWidth   = 1200.0 // the lines above the chart may widen it so far
	linkLimit  = 12     // more dependents than these come as dots, and only the last as a line
)

// SVG writes r as a picture. The report may be of any moment: of a group that runs, stops, or has stopped; with no
// workers or with thousands, of which those that have nothing to tell then share a row. The text of the report is
// escaped. The error is that of w.
func SVG(w io.Writer, r lastcall.Report) error {
	p := newPicture(newLayout(r))
	p.draw()
	_, err := w.Write(p.out.Bytes())
	return err
}

// picture is a layout with its places in pixels.
type picture struct {
	*layout
	axis          axis
	out           bytes.Buffer
	notes         []string
	faults        []string
	left, right   float64 // of the chart
	top, bottom   float64 // of the rows
	width, height float64
	legend        []legendItem
}

func newPicture(l *layout) *picture {
	p := &picture{layout: l}
	names, notes := 8, 0
	beyond := l.to + l.to/12 // room to show that a bar does not end
	for _, r := range l.rows {
		names = max(names, tty.Columns(clipped(r.label, labelChars-2*r.depth))+2*r.depth)
		note := clipped(l.note(r), noteChars)
		p.notes = append(p.notes, note)
		notes = max(notes, tty.Columns(note))
		if r.open && l.over {
			l.to = beyond
		}
	}
	p.faults = l.faults()
	p.left = margin + float64(names)*charWidth + 12
	p.right = p.left + chartWidth
	p.width = p.right + 12 + 8*charWidth + 10 + float64(max(notes, 12))*charWidth + margin
	p.axis = newAxis(l.from, l.to, p.left, chartWidth)
	p.legend = l.legend()
	return p
}

func (p *picture) draw() {
	marks, lanes := p.placeMarks()
	head := p.summary()
	for _, line := range head[1:] {
		p.width = max(p.width, min(2*margin+float64(tty.Columns(line)+1)*charWidth, maxWidth))
	}
	p.top = 38 + lineHeight*float64(len(head)-1) + lineHeight*float64(lanes) + 10
	p.bottom = p.top + rowHeight*float64(max(len(p.rows), 1))
	faultsTop := p.bottom + 30
	legendTop := faultsTop
	if len(p.faults) > 0 {
		legendTop += lineHeight*float64(len(p.faults)) + 12
	}
	p.height = legendTop + p.placeLegend(legendTop) + margin

	p.print(`<svg xmlns="http://www.w3.org/2000/svg" class="lc" width="%s" height="%s" viewBox="0 0 %s %s" role="img" aria-labelledby="lc-title lc-desc">`+"\n",
		num(p.width), num(p.height), num(p.width), num(p.height))
	p.print("<title id=\"lc-title\">%s</title>\n", escape(head[0]))
	p.print("<desc id=\"lc-desc\">%s</desc>\n", escape(strings.Join(append(head[1:len(head):len(head)], p.faults...), "\n")))
	p.print("<style>\n%s</style>\n", style)
	p.print(`<defs><pattern id="lc-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V6"/></pattern></defs>` + "\n")
	p.rect("page", 0, 0, p.width, p.height)

	room := int((p.width - 2*margin) / charWidth)
	for i, line := range head {
		class := "dim"
		if i == 0 {
			class, line = "head", clipped(line, room*3/4)
		}
		p.text(class, "start", margin, 30+lineHeight*float64(i)+min(float64(i), 1)*4, clipped(line, room))
	}
	p.drawRowBackgrounds()
	if len(p.rows) == 0 {
		p.text("dim", "start", margin, p.middle(0)+4, "no workers")
	} else {
		p.drawGrid()
	}
	p.drawMarks(marks)
	p.drawLinks()
	for i := range p.rows {
		p.drawRow(i)
	}
	for i, fault := range p.faults {
		p.print("<g><title>%s</title>", escape(fault))
		p.text("bad", "start", margin, faultsTop+lineHeight*float64(i)+12, clipped(fault, room))
		p.print("</g>\n")
	}
	p.drawLegend()
	p.print("</svg>\n")
}

// middle is the height at which row i's bar lies.
func (p *picture) middle(i int) float64 { return p.top + rowHeight*(float64(i)+0.5) }

// drawRowBackgrounds gives every second row a tint, which also is what a pointer finds.
func (p *picture) drawRowBackgrounds() {
	for i := range max(len(p.rows), 1) {
		class := "even"
		if i%2 == 1 {
			class = "odd"
		}
		p.rect(class, margin-6, p.top+rowHeight*float64(i), p.width-2*margin+12, rowHeight)
	}
	if p.from < 0 {
		p.rect("band", p.axis.x(p.from), p.top, p.axis.x(0)-p.axis.x(p.from), p.bottom-p.top)
	}
}

func (p *picture) drawGrid() {
	for _, d := range p.axis.ticks() {
		x := p.axis.x(d)
		p.print(`<path class="grid" d="M%s %sV%s"/>`, num(x), num(p.top), num(p.bottom+4))
		label := d.String()
		if d == 0 {
			label = "0"
		}
		p.text("dim", "middle", x, p.bottom+16, label)
		p.print("\n")
	}
	if p.axis.broken { // the lame-duck delay is not to scale
		x := (p.axis.x(p.from) + p.axis.x(0)) / 2
		p.print(`<path class="mark" d="M%s %sl4 -8M%s %sl4 -8"/>`, num(x-4), num(p.bottom+4), num(x+1), num(p.bottom+4))
		p.text("dim", "middle", x, p.bottom+16, short(-p.from))
		p.print("\n")
	}
}

// mark is a moment of the whole group.
type mark struct {
	at    time.Duration
	label string
	class string
	x     float64
	lane  int // 0 is next to the chart
}

// placeMarks puts the labels of the moments side by side, or one above the other where there is no room: an earlier one
// above a later one, so that the lines, which go down from the labels, cross none of them.
func (p *picture) placeMarks() ([]mark, int) {
	var marks []mark
	add := func(t time.Time, class, label string) {
		if !t.IsZero() {
			at := p.since(t)
			marks = append(marks, mark{at: at, x: p.axis.x(at), class: class, label: label})
		}
	}
	r := p.report
	if p.stopping {
		add(r.LameDuck, "mark", "lame duck")
		add(r.SoftStop, "mark", "soft stop")
		if !r.HardStop.IsZero() {
			add(r.HardStop, "mark hard", "hard stop "+short(p.since(r.HardStop)))
		}
	} else {
		add(r.Started, "mark", "start")
	}
	if p.over {
		add(r.Ended, "mark", "end "+short(p.since(r.Ended)))
	} else {
		add(r.Taken, "mark", "now "+short(p.since(r.Taken)))
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Compare(a.at, b.at) })
	var begins []float64 // of each lane: where its leftmost label begins
	for i := range slices.Backward(marks) {
		m := &marks[i]
		end := m.x + float64(tty.Columns(m.label))*charWidth + 8
		for m.lane < len(begins) && begins[m.lane] < end {
			m.lane++
		}
		if m.lane == len(begins) {
			begins = append(begins, 0)
		}
		begins[m.lane] = m.x
	}
	return marks, len(begins)
}

func (p *picture) drawMarks(marks []mark) {
	for _, m := range marks {
		y := p.top - 6 - lineHeight*float64(m.lane)
		p.print(`<path class="%s" d="M%s %sV%s"/>`, m.class, num(m.x), num(y-9), num(p.bottom))
		class := "dim"
		if m.class == "mark hard" {
			class = "bad"
		}
		p.text(class, "start", m.x+4, y, m.label)
		p.print("\n")
	}
}

// drawLinks draws the waits: each dependent comes down, where it returned, to the row that waited for it.
// The strong ones come last, so that nothing crosses them.
func (p *picture) drawLinks() {
	count := make(map[int]int)
	dots := make(map[[2]int]bool)
	for _, l := range p.links {
		count[l.to]++
	}
	for _, pass := range []func(link) bool{
		func(l link) bool { return !l.last },
		func(l link) bool { return l.last && !l.chain },
		func(l link) bool { return l.chain },
	} {
		for _, l := range p.links {
			if pass(l) {
				line := l.last || count[l.to] <= linkLimit
				place := [2]int{l.to, int(p.axis.x(l.at))}
				if !line && dots[place] {
					continue
				}
				dots[place] = true
				p.drawLink(l, line)
			}
		}
	}
}

func (p *picture) drawLink(l link, line bool) {
	x, y := p.axis.x(l.at), p.middle(l.to)
	if !l.last {
		if line {
			p.print(`<path class="link" d="M%s %sV%s"/>`, num(x), num(p.middle(l.from)), num(y))
		}
		p.print(`<circle class="dot" cx="%s" cy="%s" r="2"/>`+"\n", num(x), num(y))
		return
	}
	class, head := "last", "arrow"
	if l.chain {
		class, head = "on", "on-arrow"
	}
	begin := p.axis.x(p.rows[l.to].bars[0].from)
	if begin-x > 8 {
		p.print(`<path class="%s" d="M%s %sV%sH%s"/>`, class, num(x), num(p.middle(l.from)), num(y), num(begin-5))
		p.print(`<path class="%s" d="M%s %sl-6 -4v8z"/>`+"\n", head, num(begin), num(y))
		return
	}
	tip, drop := y-barHeight/2, -6.0
	if l.from > l.to { // never in stop order, but a report may say so
		tip, drop = y+barHeight/2, 6
	}
	p.print(`<path class="%s" d="M%s %sV%s"/>`, class, num(x), num(p.middle(l.from)), num(tip+drop+1))
	p.print(`<path class="%s" d="M%s %sl-4 %sh8z"/>`+"\n", head, num(x), num(tip), num(drop))
}

func (p *picture) drawRow(i int) {
	r, y := p.rows[i], p.middle(i)
	class := ""
	if r.chain {
		class = ` class="chain"`
	}
	p.print("<g%s><title>%s</title>", class, escape(p.tooltip(r)))
	labelClass := ""
	switch {
	case r.more > 0:
		labelClass = "dim"
	case r.chain:
		labelClass = "strong"
	}
	p.text(labelClass, "start", margin+float64(2*r.depth)*charWidth, y+4, clipped(r.label, labelChars-2*r.depth))
	if r.waited {
		p.print(`<path class="wait" d="M%s %sH%s"/>`, num(p.axis.x(r.wait)), num(y), num(p.axis.x(r.bars[0].from)))
	}
	for n, b := range r.bars {
		x, height := p.axis.x(b.from), barHeight
		width := p.axis.x(b.to) - x
		if n == len(r.bars)-1 || width == 0 {
			width = max(width, 2) // what took no time was there nevertheless
		}
		if b.kind == "group" {
			height = 6
		}
		p.rect(b.kind, x, y-height/2, width, height)
		if b.kind == "cut" {
			p.print(`<rect fill="url(#lc-hatch)" x="%s" y="%s" width="%s" height="%s"/>`, num(x), num(y-height/2), num(width), num(height))
		}
	}
	p.drawEnd(r, y)
	if took := p.duration(r); took != "" {
		p.text("", "end", p.right+12+8*charWidth, y+4, took)
	}
	if note := p.notes[i]; note != "" {
		class := "dim"
		if r.more == 0 && r.sum.Bad {
			class = "bad"
		}
		p.text(class, "start", p.right+12+8*charWidth+10, y+4, note)
	}
	p.print("</g>\n")
}

// drawEnd draws how a row ends where that is more than the end of a bar.
func (p *picture) drawEnd(r row, y float64) {
	end := p.axis.x(r.end)
	switch {
	case r.gone:
		class := "gone"
		if r.worker.State == lastcall.StateFailed {
			class = "gone-bad"
		}
		p.print(`<path class="%s" d="M%s %sl5 -5l5 5l-5 5z"/>`, class, num(end-5), num(y))
	case r.open && p.over:
		p.print(`<path class="open" d="M%s %sH%sM%s %sH%s"/>`, num(end), num(y-barHeight/2+0.5), num(p.right), num(end), num(y+barHeight/2-0.5), num(p.right))
		p.print(`<path class="tip" d="M%s %sl6 6l-6 6z"/>`, num(p.right), num(y-6))
	case r.open:
		p.print(`<path class="alive" d="M%s %sl6 6l-6 6z"/>`, num(p.right), num(y-6))
	}
	if r.worker.Leaks != "" {
		p.print(`<circle class="leak" cx="%s" cy="%s" r="4"/>`, num(end+8), num(y))
	}
}

func (p *picture) rect(class string, x, y, width, height float64) {
	p.print(`<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`, class, num(x), num(y), num(width), num(height))
}

func (p *picture) text(class, anchor string, x, y float64, label string) {
	p.print(`<text`)
	if class != "" {
		p.print(` class="%s"`, class)
	}
	if anchor != "start" {
		p.print(` text-anchor="%s"`, anchor)
	}
	p.print(` x="%s" y="%s">%s</text>`, num(x), num(y), escape(label))
}

func (p *picture) print(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

// num is f with at most one decimal.
func num(f float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
}

// clipped is a text in one line, or as much of it as fits into so many cells.
func clipped(s string, most int) string { return tty.Clip(text.Outside(s), most, "…") }

// escape is a text from outside as XML holds it.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text.Lines(s))) // a Builder does not fail
	return b.String()
}
