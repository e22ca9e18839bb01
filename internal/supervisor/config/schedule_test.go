package config

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// The clock is put forward in New York on 8 March 2026 at 2:00, and back on 1 November at 2:00; in Berlin on 29 March at
// 2:00, and back on 25 October at 3:00.
func TestNextRun(t *testing.T) {
	for _, test := range []struct {
		name, schedule, zone, after string
		want                        []string
	}{
		{"minutes", "*/20 * * * *", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-01T00:20:00Z", "2026-01-01T00:40:00Z", "2026-01-01T01:00:00Z"}},
		{"between", "5 4 * * *", "UTC", "2026-01-01T04:04:59.5Z", []string{"2026-01-01T04:05:00Z", "2026-01-02T04:05:00Z"}},
		{"weekday", "0 12 * * mon-wed", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-05T12:00:00Z", "2026-01-06T12:00:00Z", "2026-01-07T12:00:00Z", "2026-01-12T12:00:00Z"}},
		{"sunday is 0 and 7", "0 0 * * 7", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-04T00:00:00Z"}},
		{"either day", "0 0 13 * fri", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z", "2026-01-16T00:00:00Z"}},
		{"month's end", "0 0 31 * *", "UTC", "2026-02-01T00:00:00Z", []string{"2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"}},
		{"leap day", "0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", []string{"2104-02-29T00:00:00Z"}},
		{"daily", "@daily", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-02T00:00:00Z"}},
		{"every", "@every 90m", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-01T01:30:00Z", "2026-01-01T03:00:00Z"}},
		{"zone of its own", "CRON_TZ=America/New_York 0 6 * * *", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-01T11:00:00Z"}},

		{"left out", "30 2 * * *", "America/New_York", "2026-03-07T12:00:00-05:00", []string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"}},
		{"left out, east", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", []string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		{"left out, of its own zone", "CRON_TZ=Europe/Berlin 30 2 * * *", "UTC", "2026-03-28T12:00:00Z", []string{"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
		{"midnight left out", "0 0 * * *", "America/Santiago", "2025-09-06T12:00:00-04:00", []string{"2025-09-07T01:00:00-03:00", "2025-09-08T00:00:00-03:00"}},
		{"twice", "30 1 * * *", "America/New_York", "2026-10-31T12:00:00-04:00", []string{"2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"}},
		{"twice, east", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00", []string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"the second time begins", "30 1 * * *", "America/New_York", "2026-11-01T01:10:00-05:00", []string{"2026-11-02T01:30:00-05:00"}},
		{"after the second time", "30 2 * * *", "America/New_York", "2026-11-01T01:10:00-05:00", []string{"2026-11-01T02:30:00-05:00"}},
		{"every hour forward", "0 * * * *", "America/New_York", "2026-03-08T01:00:00-05:00", []string{"2026-03-08T03:00:00-04:00", "2026-03-08T04:00:00-04:00"}},
		{"every hour back", "@hourly", "America/New_York", "2026-11-01T01:00:00-04:00", []string{"2026-11-01T01:00:00-05:00", "2026-11-01T02:00:00-05:00"}},
		{"every half hour back", "*/30 * * * *", "Europe/Berlin", "2026-10-25T02:30:00+02:00", []string{"2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:00:00+01:00"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			zone, err := time.LoadLocation(test.zone)
			if err != nil {
				t.Skipf("no time zones on this machine: %v", err)
			}
			p := &Process{Schedule: test.schedule}
			at, err := time.Parse(time.RFC3339, test.after)
			if err != nil {
				t.Fatal(err)
			}
			at = at.In(zone)
			for _, want := range test.want {
				at = p.NextRun(at)
				if got := at.In(zone).Format(time.RFC3339); got != want {
					t.Fatalf("got %s, want %s", got, want)
				}
			}
		})
	}
	if next := new(Process).NextRun(time.Now()); !next.IsZero() {
		t.Errorf("without a schedule it runs at %v", next)
	}
}

// What is wrong with a schedule is said in our own words. A range that goes over the end of its field is not what it says, and is refused.
func TestScheduleThatIsWrong(t *testing.T) {
	for schedule, want := range map[string]string{
		"1 2 3":                    `"1 2 3" has 3 fields, and a schedule has five: minute, hour, day of the month, month, day of the week`,
		"60 * * * *":               `minute: "60" is not from 0 to 59`,
		"* x * * *":                `hour: "x" is not from 0 to 23`,
		"* * 0 * *":                `day of the month: "0" is not from 1 to 31`,
		"* * * 13 *":               `month: "13" is not from 1 to 12, or jan to dec`,
		"*/70 * * * *":             `minute: the step of "*/70" must be a number from 1 to 59`,
		"5/0 * * * *":              `minute: the step of "5/0" must be a number from 1 to 59`,
		"0,50-10 * * * *":          `minute: the range 50-10 ends before it begins; write 50-59,0-10`,
		"* 22-2/2 * * *":           `hour: the range 22-2 ends before it begins; write 22-23,0-2`,
		"* * * nov-feb *":          `month: the range nov-feb ends before it begins; write nov-dec,jan-feb`,
		"* * * * fri-sun":          `day of the week: the range fri-sun ends before it begins; write fri-sat,sun`,
		"* * * * 6-1":              `day of the week: the range 6-1 ends before it begins; write 6,0-1`,
		"@wekly":                   `there is no schedule "@wekly", did you mean "@weekly"?`,
		"@daily 5":                 `nothing may follow @daily`,
		"@every":                   `@every needs a time, as in @every 10m`,
		"@every 10":                `@every 10: the time must be 1s or more, as in @every 10m`,
		"CRON_TZ=Nowhere/X @daily": `there is no time zone "Nowhere/X"`,
		"0 0 31 2 *":               `the schedule "0 0 31 2 *" never occurs`,
	} {
		_, err := parseSchedule(schedule)
		text := ""
		if guess := (*hint)(nil); errors.As(err, &guess) {
			text = fmt.Sprintf("%s, did you mean %q?", guess.text, guess.nearest)
		} else if err != nil {
			text = err.Error()
		}
		if text != want {
			t.Errorf("%s: %q, want %q", schedule, text, want)
		}
	}
	for _, schedule := range []string{"0 22-23,0-2 * * MON-fri", "? 0 1 jan 7", "TZ=UTC 0 0 * * fri-7", "0-59/59 * * * *", "@midnight", "@every 1m30s"} {
		if _, err := parseSchedule(schedule); err != nil {
			t.Errorf("%s: %v", schedule, err)
		}
	}
}
