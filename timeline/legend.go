package timeline

import (
	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/tty"
)

// legendItem is a sign that occurs in the picture, and what it means.
type legendItem struct {
	sign string
	text string
	x, y float64
}

// legend is what occurs in l, and nothing else.
func (l *layout) legend() []legendItem {
	var items []legendItem
	add := func(occurs bool, sign, text string) {
		if occurs {
			items = append(items, legendItem{sign: sign, text: text})
		}
	}
	kinds := make(map[string]bool)
	var chain, waited, gone, abandoned, alive, leaks bool
	for _, r := range l.rows {
		for _, b := range r.bars {
			kinds[b.kind] = true
		}
		chain = chain || r.chain
		waited = waited || r.waited
		gone = gone || r.gone && r.more == 0
		abandoned = abandoned || r.worker.State == lastcall.StateAbandoned
		alive = alive || r.open && !l.over
		leaks = leaks || r.worker.Leaks != ""
	}
	add(kinds["work"], "work", "soft stop to return")
	add(chain && len(l.chain) > 1, "chain", "the longest chain")
	add(kinds["cut"], "cut", "after the hard stop")
	add(kinds["group"], "group", "a group")
	add(kinds["start"], "start", "starting")
	add(kinds["run"], "run", "ready")
	add(waited, "wait", "waits for its dependents")
	add(waited, "last", "the last of them returned")
	add(gone, "gone", "ended before the stop")
	add(abandoned, "open", "abandoned, still running")
	add(alive, "alive", "still running")
	add(leaks, "leak", "left goroutines behind")
	add(kinds["more"], "more", "many workers")
	return items
}

const signWidth = 26.0

// placeLegend puts the items side by side, line by line, and returns how high that is.
func (p *picture) placeLegend(top float64) float64 {
	x, y := margin, top
	for i := range p.legend {
		item := &p.legend[i]
		width := signWidth + 6 + float64(tty.Columns(item.text))*charWidth + 18
		if x+width > p.width && x > margin {
			x, y = margin, y+lineHeight+3
		}
		item.x, item.y = x, y
		x += width
	}
	if len(p.legend) == 0 {
		return 0
	}
	return y + lineHeight - top
}

func (p *picture) drawLegend() {
	for _, item := range p.legend {
		x, y := item.x, item.y+8
		bar := func(class string, height float64) { p.rect(class, x, y-height/2, signWidth, height) }
		switch item.sign {
		case "chain":
			p.print(`<g class="chain">`)
			bar("work", barHeight)
			p.print(`</g>`)
		case "cut":
			bar("cut", barHeight)
			p.print(`<rect fill="url(#lc-hatch)" x="%s" y="%s" width="%s" height="%s"/>`, num(x), num(y-barHeight/2), num(signWidth), num(barHeight))
		case "group":
			bar("group", 6)
		case "wait":
			p.print(`<path class="wait" d="M%s %sh%s"/>`, num(x), num(y), num(signWidth))
		case "last":
			p.print(`<path class="last" d="M%s %sv8h%s"/><path class="arrow" d="M%s %sl-6 -4v8z"/>`, num(x+4), num(y-6), num(signWidth-9), num(x+signWidth), num(y+2))
		case "gone":
			p.print(`<path class="gone" d="M%s %sl5 -5l5 5l-5 5z"/>`, num(x+signWidth/2-5), num(y))
		case "open":
			p.print(`<path class="open" d="M%s %sh%sm0 %sh-%s"/>`, num(x), num(y-barHeight/2+0.5), num(signWidth-6), num(barHeight-1), num(signWidth-6))
			p.print(`<path class="tip" d="M%s %sl6 6l-6 6z"/>`, num(x+signWidth-6), num(y-6))
		case "alive":
			p.print(`<path class="alive" d="M%s %sl6 6l-6 6z"/>`, num(x+signWidth-6), num(y-6))
		case "leak":
			p.print(`<circle class="leak" cx="%s" cy="%s" r="4"/>`, num(x+signWidth/2), num(y))
		default:
			bar(item.sign, barHeight)
		}
		p.text("dim", "start", x+signWidth+6, y+4, item.text)
		p.print("\n")
	}
}
