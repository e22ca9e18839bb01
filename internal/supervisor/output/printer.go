package output

import (
	"os"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/internal/tty"
)

// Printer writes lines that come from somewhere else, such as another process, as a [Mux] does its own. It belongs to one
// goroutine.
type Printer struct {
	out     *os.File
	style   style
	width   int
	clock   clock
	palette palette
	looks   map[string]*[]byte // of instances
	buf     []byte
}

// NewPrinter begins.
func NewPrinter(o Options) *Printer {
	return &Printer{out: o.Out, style: newStyle(o), width: min(max(o.Width, len(Own)), widest), palette: palette{},
		looks: map[string]*[]byte{}}
}

// Print writes one line of an instance of a process; without names it is one of lastcall itself.
func (p *Printer) Print(t time.Time, process, name, line string) error {
	l := label{name: text.Outside(name), process: text.Outside(process), colour: ownColour}
	if name == "" {
		l.name, l.process = Own, Own
	} else {
		l.colour = p.palette.colour(process)
	}
	p.width = max(p.width, min(tty.Columns(l.name), widest))
	look := p.looks[name]
	if look == nil {
		look = new([]byte)
		p.looks[name] = look
	}
	p.buf = p.style.prefix(p.buf[:0], &l, &p.clock, t, p.width)
	if name == "" {
		line = text.Outside(line)
	}
	line = strings.ReplaceAll(line, "\n", " ") // a line is one line, whoever sends it
	p.buf = p.style.text(p.buf, []byte(line), false, false, look)
	_, err := p.out.Write(p.buf)
	return err
}
