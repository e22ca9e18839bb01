package config

import (
	"errors"
	"fmt"
	"strings"
)

// substitute puts values in the places of ${NAME}, $NAME and their kin, and $ in that of $$. A $ before anything else
// stands for itself, as at the end of a regular expression. Lines for the shell never come here: what is to be
// expanded in them, the shell expands, by its own rules and with the environment of the process.
func substitute(text string, lookup func(string) (string, bool)) (string, error) {
	return substituteIn(text, lookup, 0)
}

// substituteIn is substitute at this depth of defaults in each other.
func substituteIn(text string, lookup func(string) (string, bool), depth int) (string, error) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	if depth > maxDefaults {
		return "", fmt.Errorf("more than %d nested defaults", maxDefaults)
	}
	var b strings.Builder
	for {
		if b.Len() > maxFile {
			return "", errors.New("larger than 1 MiB when its variables are expanded")
		}
		before, rest, ok := strings.Cut(text, "$")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		switch {
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			text = rest[1:]
		case strings.HasPrefix(rest, "{"):
			inside, after, ok := cutBrace(rest[1:])
			if !ok {
				return "", errors.New("${ without } (write $$ for a literal $)")
			}
			value, err := braces(inside, lookup, depth)
			if err != nil {
				return "", err
			}
			b.WriteString(value)
			text = after
		default:
			n := nameLength(rest)
			if n == 0 {
				b.WriteByte('$')
				text = rest
				continue
			}
			value, ok := lookup(rest[:n])
			if !ok {
				return "", unset(rest[:n])
			}
			b.WriteString(value)
			text = rest[n:]
		}
	}
}

// braces is the value of what stands between ${ and }.
func braces(inside string, lookup func(string) (string, bool), depth int) (string, error) {
	n := nameLength(inside)
	name, operator := inside[:n], inside[n:]
	if n == 0 {
		return "", fmt.Errorf("${%s} names no variable (write $$ for a literal $)", inside)
	}
	value, set := lookup(name)
	if operator == "" {
		if !set {
			return "", unset(name)
		}
		return value, nil
	}
	operator, colon := strings.CutPrefix(operator, ":")
	if operator == "" {
		return "", fmt.Errorf("${%s} is incomplete: - or ? must follow the colon", inside)
	}
	use := set && (!colon || value != "")
	switch word := operator[1:]; operator[0] {
	case '-':
		if use {
			return value, nil
		}
		return substituteIn(word, lookup, depth+1)
	case '?':
		if use {
			return value, nil
		}
		if word == "" {
			word = "it must be set"
		}
		return "", fmt.Errorf("%s: %s", name, word)
	}
	return "", fmt.Errorf("${%s} is not supported: only -default, :-default, ?message or :?message may follow the name", inside)
}

func unset(name string) error {
	return fmt.Errorf("the variable %s is not set (set it, or write ${%s:-default}, or $$%s for the literal text)", name, name, name)
}

// cutBrace cuts text at the } that closes a { before it.
func cutBrace(text string) (inside, after string, ok bool) {
	depth := 1
	for i := range len(text) {
		switch {
		case text[i] == '{' && i > 0 && text[i-1] == '$':
			depth++
		case text[i] == '}':
			if depth--; depth == 0 {
				return text[:i], text[i+1:], true
			}
		}
	}
	return "", "", false
}

// nameLength is how many bytes of text are the name of a variable.
func nameLength(text string) int {
	for i := range len(text) {
		if c := text[i]; !letter(c) && c != '_' && (i == 0 || !digit(c)) {
			return i
		}
	}
	return len(text)
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }
