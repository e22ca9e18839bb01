package output

import (
	"hash/fnv"
	"os"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/internal/tty"
)

// label is what a source is called.
type label struct {
	name, process string
	colour        int // of colours
}

// colours are those that are told apart on a dark and on a light ground. Red is left to errors.
var colours = [...]string{"36", "33", "32", "35", "34", "96", "93", "92", "95", "94"}

const ownColour = -1

// palette has the colours of processes.
type palette map[string]int

// colour is that of the process: it follows from its name, except that two have the same only if there are more of them
// than colours.
func (p palette) colour(process string) int {
	if c, ok := p[process]; ok {
		return c
	}
	used := map[int]bool{}
	for _, c := range p {
		used[c] = true
	}
	h := fnv.New32a()
	h.Write([]byte(process))
	c := int(h.Sum32() % uint32(len(colours)))
	for i := 0; i < len(colours) && used[c]; i++ {
		c = (c + 1) % len(colours)
	}
	p[process] = c
	return c
}

// style is how lines look.
type style struct {
	json     bool
	terminal bool // control characters of children are kept from it
	ci       bool // the log of a CI system shows it: commands of children are kept from that
	colour   bool
	times    string // none, time or full
}

func newStyle(o Options) style {
	s := style{json: o.Format == "json", times: o.Times, terminal: isTerminal(o.Out), ci: isCI()}
	s.colour = s.terminal && !s.json && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if s.times == "" || s.times == "auto" {
		switch {
		case s.json:
			s.times = "full"
		case s.terminal:
			s.times = "time"
		case isJournal(o.Out):
			s.times = "none"
		default:
			s.times = "full"
		}
	}
	return s
}

// plain reports whether a line is written just as it is.
func (s *style) plain() bool { return !s.json && !s.terminal && !s.ci }

// isCI reports whether this runs where the log takes lines of the output as commands: GitHub Actions, Azure Pipelines, TeamCity.
func isCI() bool {
	return os.Getenv("GITHUB_ACTIONS") == "true" || os.Getenv("TF_BUILD") != "" || os.Getenv("TEAMCITY_VERSION") != ""
}

// clock is a time that was written out; many lines have the same.
type clock struct {
	unit int64
	text []byte
}

// at is t as the style has it.
func (c *clock) at(t time.Time, s *style) []byte {
	unit, layout := t.UnixMilli(), "2006-01-02T15:04:05.000Z07:00"
	if s.times == "time" && !s.json {
		unit, layout = t.Unix(), time.TimeOnly
	}
	if unit != c.unit || c.text == nil {
		c.unit, c.text = unit, t.AppendFormat(c.text[:0], layout)
	}
	return c.text
}

// prefix is what comes before the text of a line.
func (s *style) prefix(dst []byte, l *label, c *clock, t time.Time, width int) []byte {
	if s.json {
		dst = append(dst, '{')
		if s.times != "none" {
			dst = append(dst, `"time":"`...)
			dst = append(dst, c.at(t, s)...)
			dst = append(dst, `",`...)
		}
		dst = append(dst, `"process":"`...)
		dst = appendJSON(dst, []byte(l.process))
		dst = append(dst, `","instance":"`...)
		dst = appendJSON(dst, []byte(l.name))
		return append(dst, `","line":"`...)
	}
	if s.times != "none" {
		dst = append(dst, c.at(t, s)...)
		dst = append(dst, ' ')
	}
	if s.colour {
		code := "1"
		if l.colour != ownColour {
			code = colours[l.colour]
		}
		dst = append(dst, "\x1b["...)
		dst = append(dst, code...)
		dst = append(dst, 'm')
	}
	dst = append(dst, l.name...)
	for n := tty.Columns(l.name); n < width; n++ {
		dst = append(dst, ' ')
	}
	dst = append(dst, " |"...)
	if s.colour {
		dst = append(dst, reset...)
	}
	return append(dst, ' ')
}

// text is what comes after the prefix. A piece of a long line has something before it, after it, or both. look is what
// the line before left set on the terminal.
func (s *style) text(dst, line []byte, before, after bool, look *[]byte) []byte {
	if s.json {
		if s.ci {
			dst = append(dst, text.JSON(appendJSON(nil, line))...)
		} else {
			dst = appendJSON(dst, line)
		}
		dst = append(dst, '"')
		if after {
			dst = append(dst, `,"partial":true`...)
		}
		return append(dst, "}\n"...)
	}
	if s.ci {
		line = []byte(text.Inert(string(line)))
	}
	if before {
		dst = append(dst, splitMark...)
	}
	if s.terminal && (len(*look) > 0 || hasControl(line)) {
		dst = appendClean(dst, line, s.colour, look)
	} else {
		dst = append(dst, line...)
	}
	if after {
		dst = append(dst, splitMark...)
	}
	return append(dst, '\n')
}
