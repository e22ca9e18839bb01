package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/netresearch/go-cron"
)

// A schedule says when a process runs.
type schedule struct {
	next func(time.Time) time.Time
	zone *time.Location // nil: that of the machine
	wall bool           // at fixed hours: of the clock on the wall, also where it jumps
}

// parseSchedule reads five fields (minute, hour, day of the month, month, day of the week), or @hourly, @daily, @weekly,
// @monthly, @yearly, or @every 10m. CRON_TZ=Europe/Berlin may stand before them. If both days are restricted, either will
// do, as with every cron.
func parseSchedule(text string) (*schedule, error) {
	if err := checkSchedule(text); err != nil {
		return nil, err
	}
	// From one 29 February to the next it can be eight years.
	parser := cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor | cron.DowOrDom).WithMaxSearchYears(8)
	parsed, err := parser.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a schedule: %w", text, err)
	}
	fields, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return &schedule{next: parsed.Next}, nil
	}
	s := new(schedule)
	if fields.Location != time.Local {
		s.zone = fields.Location
		_, text, _ = strings.Cut(text, " ")
	}
	s.wall = fixedHours(text)
	onWall := *fields
	onWall.Location = time.UTC
	if onWall.Next(time.Unix(0, 0).UTC()).IsZero() {
		return nil, fmt.Errorf("the schedule %q never occurs", text)
	}
	if s.wall {
		fields = &onWall
	}
	s.next = fields.Next
	return s, nil
}

// fixedHours reports whether neither minute nor hour begin with a star: what runs every so many minutes or hours counts
// them, and is not held up by a clock that is put back.
func fixedHours(text string) bool {
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return text != "@hourly"
	}
	return !strings.HasPrefix(fields[0], "*") && !strings.HasPrefix(fields[1], "*")
}

// after is the first time after t.
func (s *schedule) after(t time.Time) time.Time {
	if s.zone != nil {
		t = t.In(s.zone)
	}
	if !s.wall {
		return s.next(t)
	}
	for wall := onWall(t); ; {
		if wall = s.next(wall); wall.IsZero() {
			return wall
		}
		if next := fromWall(wall, t.Location()); next.After(t) {
			return next
		}
	}
}

// onWall is what the clock on the wall shows at t, as if it were UTC.
func onWall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// fromWall is when the clock on the wall shows this: the first time if it does so twice, and when it is put forward
// if that leaves this out.
func fromWall(wall time.Time, zone *time.Location) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	start, end := t.ZoneBounds()
	switch shown := onWall(t); {
	case shown.Before(wall):
		return end
	case shown.After(wall):
		return start
	}
	if start.IsZero() {
		return t
	}
	_, offset := start.Add(-1).Zone()
	if first := wall.Add(-time.Duration(offset) * time.Second).In(zone); first.Before(start) && onWall(first).Equal(wall) {
		return first
	}
	return t
}

// NextRun is the first time after this one at which the schedule has the process run, in the time zone of after unless the
// schedule names one; the zero time if there is no schedule. A time of the day that is left out when the clock is put
// forward comes at that moment, and one that comes twice when it is put back counts once.
func (p *Process) NextRun(after time.Time) time.Time {
	if p.Schedule == "" {
		return time.Time{}
	}
	s, err := parseSchedule(p.Schedule)
	if err != nil {
		return time.Time{} // Load has seen to it that this does not happen
	}
	return s.after(after)
}
