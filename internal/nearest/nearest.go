// Package nearest finds what somebody may have meant who wrote something that is not there.
package nearest

import (
	"strings"
	"unicode/utf8"
)

// longest is how many bytes a word may have that is compared: the effort grows by the square.
const longest = 200

// To is the candidate that word is a slip of, the first of several that are as near; "" if it is too far from all. Whether letters
// are capital counts for nothing.
func To(word string, candidates []string) string {
	if len(word) > longest {
		return ""
	}
	best, least := "", 2+utf8.RuneCountInString(word)/4
	for _, candidate := range candidates {
		if len(candidate) > longest {
			continue
		}
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < least && d < utf8.RuneCountInString(candidate) {
			best, least = candidate, d
		}
	}
	return best
}

// distance is how many characters must be added, dropped, changed or swapped with their neighbour to make a into b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	var before, last []int
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		before, last, row = last, row, make([]int, len(y)+1)
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(y)]
}
