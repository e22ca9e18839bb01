package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/internal/tty"
)

// psTable is the table of ps: its lines, the header first. With shares, CPU is the share of a processor.
func psTable(list []control.Instance, shares *shares, now time.Time) []string {
	cpu := "CPU"
	if shares != nil {
		cpu = "CPU%"
	}
	rows := [][]string{{"NAME", "STATE", "PID", "UPTIME", "RESTARTS", cpu, "MEMORY", "STATUS"}}
	for _, i := range list {
		row := []string{i.Name, i.State.String(), "-", "-", strconv.Itoa(i.Restarts), "-", "-", psStatus(i, now)}
		if i.PID != 0 {
			row[2], row[3] = strconv.Itoa(i.PID), coarse(now.Sub(i.Started))
		}
		if i.Family > 0 {
			row[5], row[6] = coarse(i.CPU), bytesText(i.Memory)
		}
		if shares != nil {
			row[5] = shares.of(i)
		}
		rows = append(rows, row)
	}
	return align(rows, 2, 7)
}

// align makes lines of rows of cells from wherever; the columns from right to left, which is not one of them, are aligned to the right.
func align(rows [][]string, right, left int) []string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for c, cell := range row {
			row[c] = text.Outside(cell)
			widths[c] = max(widths[c], tty.Columns(row[c]))
		}
	}
	lines := make([]string, len(rows))
	for r, row := range rows {
		var b strings.Builder
		for c, cell := range row {
			fill := strings.Repeat(" ", widths[c]-tty.Columns(cell))
			if c >= right && c < left {
				cell = fill + cell
			} else {
				cell += fill
			}
			if c > 0 {
				b.WriteString("  ")
			}
			b.WriteString(cell)
		}
		lines[r] = strings.TrimRight(b.String(), " ")
	}
	return lines
}

// psStatus is what there is to say of an instance besides its state.
func psStatus(i control.Instance, now time.Time) string {
	var facts []string
	if !i.Next.IsZero() {
		facts = append(facts, "runs next in "+coarse(i.Next.Sub(now)))
	}
	for _, fact := range []string{i.Detail, i.Status} {
		if fact != "" && !slices.Contains(facts, fact) {
			facts = append(facts, fact)
		}
	}
	return strings.Join(facts, "; ")
}

// coarse is a time as a person says it: 0.3s, 12s, 3m05s, 2h10m, 12d4h.
func coarse(d time.Duration) string {
	d = max(d, 0)
	s := int(d / time.Second)
	switch {
	case s < 10:
		return fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds())
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 60*60:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 24*60*60:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd%dh", s/(24*3600), s/3600%24)
}

// bytesText is so many bytes in three digits or so.
func bytesText(n uint64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return strconv.FormatUint(n, 10) + " B"
	}
	x, unit := float64(n)/(1<<10), 0
	for x >= 999.5 {
		x /= 1 << 10
		unit++
	}
	if x < 9.95 {
		return fmt.Sprintf("%.1f %ciB", x, units[unit])
	}
	return fmt.Sprintf("%.0f %ciB", x, units[unit])
}

// shares are what part of a processor each family has used lately.
type shares struct {
	since map[runOf]sample
	now   map[runOf]string
}

// runOf is one run of an instance.
type runOf struct {
	name string
	pid  int
}

type sample struct {
	at  time.Time
	cpu time.Duration
}

// leastSpan is how far apart two looks must be: the system counts in steps of 10 ms.
const leastSpan = time.Second

// update takes in a list and returns s.
func (s *shares) update(list []control.Instance, now time.Time) *shares {
	since, shares := map[runOf]sample{}, map[runOf]string{}
	for _, i := range list {
		if i.Family == 0 {
			continue
		}
		key := runOf{i.Name, i.PID}
		last, known := s.since[key]
		switch span := now.Sub(last.at); {
		case !known:
			last = sample{now, i.CPU}
		case span < leastSpan:
			if text := s.now[key]; text != "" {
				shares[key] = text
			}
		default:
			shares[key] = fmt.Sprintf("%.1f%%", 100*max(i.CPU-last.cpu, 0).Seconds()/span.Seconds())
			last = sample{now, i.CPU}
		}
		since[key] = last
	}
	s.since, s.now = since, shares
	return s
}

// of is the share of an instance, "-" if it is not known yet.
func (s *shares) of(i control.Instance) string {
	if text := s.now[runOf{i.Name, i.PID}]; text != "" {
		return text
	}
	return "-"
}

// liveTable is the table on a terminal. It is drawn each second as well, since time goes on.
type liveTable struct {
	screen *screen
	mu     sync.Mutex
	list   []control.Instance // nil before the first
	shares shares
}

// begin draws until the returned function is called.
func (t *liveTable) begin(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var over sync.WaitGroup
	over.Go(func() {
		for lastcall.Sleep(ctx, time.Second) == nil {
			t.draw()
		}
	})
	return func() {
		cancel()
		over.Wait()
		t.screen.leave()
	}
}

func (t *liveTable) update(list []control.Instance) error {
	t.mu.Lock()
	t.list = list
	t.shares.update(list, time.Now())
	t.mu.Unlock()
	t.draw()
	return nil
}

func (t *liveTable) draw() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.list != nil {
		t.screen.draw(psTable(t.list, &t.shares, time.Now()))
	}
}
