package control

import (
	"fmt"
	"unicode/utf8"
)

// Unknown is the error for a name that is none of those of the processes and instances known.
func Unknown(name string, known []string) *Error {
	text := fmt.Sprintf("no process %q", name)
	best := utf8.RuneCountInString(name)/3 + 1 // that many mistakes at most
	like := ""
	for _, k := range known {
		if d := distance(name, k); d < best || d == best && like == "" {
			best, like = d, k
		}
	}
	if like != "" {
		text += fmt.Sprintf(", did you mean %q?", like)
	} else {
		text += "; lastcall ps shows them"
	}
	return &Error{KindUsage, text}
}

// distance is how many signs must be changed, added, left out or swapped with the next to make b of a.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last := []int(nil), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row := make([]int, len(y)+1)
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}
