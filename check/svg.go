package check

import (
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/internal/tty"
)

// style has no variables: renderers other than browsers read the light half of it and pass over the rest.
//
//go:embed svg.css
var style string

// Measures of the picture, in pixels. The font is monospaced, so that the room which a text takes is known.
const (
	svgMargin    = 16.0
	svgChar      = 7.25
	svgRow       = 22.0
	svgLine      = 17.0
	svgWidth     = 1000.0
	svgTable     = svgMargin + 28*svgChar // where the summaries begin
	svgLeft      = svgMargin + 16*svgChar // of the chart
	svgRight     = svgLeft + 440          //
	svgLead      = 0.2                    // of the chart at the most, for what was before the signal
	svgTexts     = svgRight + 12*svgChar  // where the words of the moments begin
	svgMostRows  = 60                     // of a timeline
	svgTickEvery = 90.0
)

// WriteSVG draws the verdicts, and below them the timeline of the worst life, as one picture that needs nothing else. Each verdict
// is a word and a shape, and has all that there is to say of it in its tooltip.
func WriteSVG(w io.Writer, r *Report) error {
	p := &picture{report: r}
	if worst := r.Worst(); worst != nil {
		p.worst = worst
		p.rows = condense(worst.Moments)
		p.rows = p.rows[:min(len(p.rows), svgMostRows)]
	}
	p.draw()
	_, err := io.WriteString(w, p.out.String())
	return err
}

type picture struct {
	report   *Report
	worst    *Timeline
	rows     []together // of it
	from, to time.Duration
	lead     float64 // the width of what was before the signal
	out      strings.Builder
}

func (p *picture) draw() {
	r := p.report
	verdict := string(r.Verdict())
	if r.Error != "" {
		verdict = "not finished"
	}
	head := fmt.Sprintf("lastcall check: %s", verdict)
	lines := []string{strings.Join(r.Command, " "), r.conclusion()}
	if r.Ready != "" {
		lines = append(lines, "ready: "+r.Ready+"; requests: "+r.requests())
	}
	var desc []string
	for _, one := range r.Results {
		desc = append(desc, fmt.Sprintf("%s: %s: %s", one.Scenario, one.Verdict, one.Summary))
	}
	table := 38 + svgLine*float64(len(lines)) + 10
	chart := table + svgRow*float64(len(r.Results))
	height := chart + svgMargin
	if p.worst != nil {
		chart += 50
		height = chart + svgRow*float64(len(p.rows)) + 26 + svgMargin
	}
	p.print(`<svg xmlns="http://www.w3.org/2000/svg" class="lc" width="%s" height="%s" viewBox="0 0 %s %s" role="img" aria-labelledby="lc-title lc-desc">`+"\n",
		px(svgWidth), px(height), px(svgWidth), px(height))
	p.print("<title id=\"lc-title\">%s</title>\n<desc id=\"lc-desc\">%s</desc>\n", escape(head), escapeText(strings.Join(append(lines, desc...), "\n")))
	p.print("<style>\n%s</style>\n", style)
	p.rect("page", 0, 0, svgWidth, height)
	p.text("head", "start", svgMargin, 30, head, svgWidth)
	for i, line := range lines {
		p.text("dim", "start", svgMargin, 34+svgLine*float64(i+1), line, svgWidth-svgMargin)
	}
	for i := range r.Results {
		p.row(i, table+svgRow*float64(i))
	}
	if p.worst != nil {
		p.timeline(chart, chart+svgRow*float64(len(p.rows)))
	}
	p.print("</svg>\n")
}

// row is a line of the table.
func (p *picture) row(i int, y float64) {
	one := &p.report.Results[i]
	var tip strings.Builder
	_ = one.WriteText(&tip) // a Builder does not fail
	p.print("<g><title>%s</title>", escapeText(tip.String()))
	p.stripe(i, y)
	middle := y + svgRow/2
	class := string(one.Verdict)
	if _, known := colors[one.Verdict]; !known {
		class = "skip"
	}
	shape := map[Verdict]string{
		Pass: "m-5 0l4 4l7 -8l-2 -1.5l-5 6l-2.5 -2.5z",
		Warn: "m0 -6l6.5 11h-13z",
		Fail: "m-5 -3l2 -2l3 3l3 -3l2 2l-3 3l3 3l-2 2l-3 -3l-3 3l-2 -2l3 -3z",
	}[one.Verdict]
	if shape == "" {
		shape = "m-5 -1.5h10v3h-10z"
	}
	p.print(`<path class="%s" d="M%s %s%s"/>`, class, px(svgMargin+6), px(middle), shape)
	p.text(class+" strong", "start", svgMargin+20, middle+4, string(one.Verdict), svgTable)
	p.text("strong", "start", svgMargin+8*svgChar, middle+4, one.Scenario, svgTable)
	p.text("dim", "end", svgTable-2*svgChar, middle+4, seconds(one.Took), svgTable)
	p.text("", "start", svgTable, middle+4, one.Summary, svgWidth-svgMargin)
	p.print("</g>\n")
}

// timeline has a row for each moment: what it is, a dot where it was, when it was and what there is to say of it.
func (p *picture) timeline(top, bottom float64) {
	for _, m := range p.worst.Moments {
		p.from, p.to = min(p.from, m.At), max(p.to, m.At)
	}
	if p.to == 0 {
		p.to = time.Millisecond
	}
	if p.from < 0 {
		p.lead = min(svgLead, float64(-p.from)/float64(p.to-p.from)) * (svgRight - svgLeft)
	}
	what := "the longest stop"
	if v := p.report.Verdict(); v == Fail || v == Warn {
		what = "the worst life"
	}
	p.text("strong", "start", svgMargin, top-24, fmt.Sprintf("%s, in %s; times are from the signal", what, p.worst.Scenario), svgWidth-svgMargin)
	for i := range p.rows {
		p.stripe(i, top+svgRow*float64(i))
	}
	step := tickStep(time.Duration(float64(p.to) * svgTickEvery / (svgRight - svgLeft - p.lead)))
	for at := time.Duration(0); at <= p.to; at += step {
		p.print(`<path class="grid" d="M%s %sV%s"/>`, px(p.x(at)), px(top), px(bottom+4))
		p.text("dim", "middle", p.x(at), bottom+16, at.String(), svgWidth)
		p.print("\n")
	}
	p.print(`<path class="signal" d="M%s %sV%s"/>`+"\n", px(p.x(0)), px(top), px(bottom+4))
	for i, m := range p.rows {
		y := top + svgRow*(float64(i)+0.5)
		class := "dot"
		if m.Kind == KindLost || m.Kind == KindLeft || m.Kind == KindKill {
			class = "fail"
		}
		p.print("<g><title>%s %s: %s</title>", escape(m.Kind.label()), offsetText(m.At), escape(text.Outside(m.Text)))
		p.text("", "start", svgMargin, y+4, m.Kind.label(), svgLeft)
		drawn := -10.0
		for _, one := range m.all {
			x := p.x(one.At)
			if x-drawn < 1 {
				continue
			}
			if drawn = x; class == "fail" {
				p.print(`<path class="fail" d="M%s %sl5 -5l5 5l-5 5z"/>`, px(x-5), px(y))
			} else {
				p.print(`<circle class="dot" cx="%s" cy="%s" r="4"/>`, px(x), px(y))
			}
		}
		p.text("dim", "end", svgTexts-svgChar, y+4, offsetText(m.At), svgWidth)
		p.text("", "start", svgTexts, y+4, m.Text, svgWidth-svgMargin)
		p.print("</g>\n")
	}
}

// x is where a time lies in the chart. What was before the signal is not to scale with what came after it.
func (p *picture) x(at time.Duration) float64 {
	if at < 0 {
		return svgLeft + p.lead*(1-float64(at)/float64(p.from))
	}
	return svgLeft + p.lead + (svgRight-svgLeft-p.lead)*float64(at)/float64(p.to)
}

// tickStep is the smallest of 1, 2 and 5 times a power of ten that is not below d.
func tickStep(d time.Duration) time.Duration {
	for unit := time.Microsecond; ; unit *= 10 {
		for _, n := range []time.Duration{1, 2, 5} {
			if n*unit >= d {
				return n * unit
			}
		}
	}
}

// stripe gives every second row a tint, which also is what a pointer finds.
func (p *picture) stripe(i int, y float64) {
	p.rect([]string{"even", "odd"}[i%2], svgMargin-6, y, svgWidth-2*svgMargin+12, svgRow)
}

func (p *picture) rect(class string, x, y, width, height float64) {
	p.print(`<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`, class, px(x), px(y), px(width), px(height))
}

// text writes one line, which is cut short before the limit on its right.
func (p *picture) text(class, anchor string, x, y float64, line string, limit float64) {
	line = text.Outside(line)
	if room := int((limit - x) / svgChar); anchor == "start" {
		line = tty.Clip(line, max(room, 0), "…")
	}
	if class != "" {
		class = fmt.Sprintf(` class="%s"`, class)
	}
	if anchor != "start" {
		anchor = fmt.Sprintf(` text-anchor="%s"`, anchor)
	} else {
		anchor = ""
	}
	p.print(`<text%s%s x="%s" y="%s">%s</text>`, class, anchor, px(x), px(y), escape(line))
}

func (p *picture) print(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

// px is f with at most one decimal.
func px(f float64) string { return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0") }
