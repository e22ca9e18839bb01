package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/nearest"
)

// A cronField is one of the five of a schedule.
type cronField struct {
	name     string
	min, max int
	words    []string // for min and what follows; nil for none
}

var cronFields = []cronField{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day of the month", 1, 31, nil},
	{"month", 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{"day of the week", 0, 7, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// cronWords are the schedules that have a name.
var cronWords = []string{"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", "@every"}

// checkSchedule is what is wrong with a schedule. The library that reads it speaks of its own grammar, and lets a reversed range wrap.
func checkSchedule(text string) error {
	fields := strings.Fields(text)
	if len(fields) > 0 {
		if _, zone, ok := strings.Cut(fields[0], "TZ="); ok {
			if _, err := time.LoadLocation(zone); err != nil {
				return fmt.Errorf("there is no time zone %q", zone)
			}
			fields = fields[1:]
		}
	}
	if len(fields) > 0 && fields[0][0] == '@' {
		return checkCronWord(fields)
	}
	if len(fields) != len(cronFields) {
		return fmt.Errorf("%q has %d fields, and a schedule has five: minute, hour, day of the month, month, day of the week", text, len(fields))
	}
	for i, f := range cronFields {
		for part := range strings.SplitSeq(fields[i], ",") {
			if err := f.check(part); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
	}
	return nil
}

// checkCronWord checks @daily and its like.
func checkCronWord(fields []string) error {
	switch word := fields[0]; {
	case !slices.Contains(cronWords, word):
		return &hint{fmt.Sprintf("there is no schedule %q", word), nearest.To(strings.ToLower(word), cronWords)}
	case word != "@every" && len(fields) > 1:
		return fmt.Errorf("nothing may follow %s", word)
	case word == "@every" && len(fields) != 2:
		return errors.New("@every needs a time, as in @every 10m")
	case word == "@every":
		if every, err := time.ParseDuration(fields[1]); err != nil || every < time.Second {
			return fmt.Errorf("@every %s: the time must be 1s or more, as in @every 10m", fields[1])
		}
	}
	return nil
}

// check is what is wrong with one part of the field: *, N, N-M, or one of these with /STEP.
func (f cronField) check(part string) error {
	span, step, stepped := strings.Cut(part, "/")
	if stepped {
		if n, err := strconv.Atoi(step); err != nil || n < 1 || n > f.max-f.min {
			return fmt.Errorf("the step of %q must be a number from 1 to %d", part, f.max-f.min)
		}
	}
	if span == "*" || span == "?" {
		return nil
	}
	first, last, ranged := strings.Cut(span, "-")
	from, err := f.number(first)
	if err != nil || !ranged {
		return err
	}
	to, err := f.number(last)
	if err != nil || from <= to {
		return err
	}
	return fmt.Errorf("the range %s ends before it begins; write %s", span, f.split(first, last, from, to))
}

// number is the number of a word or of digits.
func (f cronField) number(text string) (int, error) {
	if i := slices.Index(f.words, strings.ToLower(text)); i >= 0 {
		return f.min + i, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.min || n > f.max {
		names := ""
		if f.words != nil {
			names = fmt.Sprintf(", or %s to %s", f.words[0], f.words[len(f.words)-1])
		}
		return 0, fmt.Errorf("%q is not from %d to %d%s", text, f.min, f.max, names)
	}
	return n, nil
}

// split is a range that goes over the end of the field as two that do not.
func (f cronField) split(first, last string, from, to int) string {
	word := func(n int) string {
		if i := n - f.min; i < len(f.words) && slices.Contains(f.words, strings.ToLower(first)) {
			return f.words[i]
		}
		return strconv.Itoa(n)
	}
	max := f.max
	if f.min == 0 && f.max == 7 { // sunday is 0 and 7
		max = 6
	}
	head, tail := first+"-"+word(max), word(f.min)+"-"+last
	if from >= max {
		head = first
	}
	if to == f.min {
		tail = last
	}
	return head + "," + tail
}
