package config

import "strings"

// value reads what stands behind the = of a variable, up to the end of the line or of the closing quote.
func (e *envText) value(text string) string {
	trimmed := strings.TrimLeft(text, " \t")
	if trimmed != "" && (trimmed[0] == '"' || trimmed[0] == '\'') {
		if value, ok := e.quoted(trimmed); ok {
			return value
		}
	}
	return e.unquoted(text)
}

// unquoted reads a value without quotes: the rest of the line, without the blanks around it and without a comment, which begins
// with a # behind a blank.
func (e *envText) unquoted(text string) string {
	for i := 1; i < len(text); i++ {
		if text[i] == '#' && (text[i-1] == ' ' || text[i-1] == '\t') {
			text = text[:i]
			break
		}
	}
	text = strings.Trim(text, " \t")
	return e.expand(text, func(text string) (string, int) {
		if strings.HasPrefix(text, `\${`) {
			return "$", 2
		}
		return text[:1], 1
	})
}

// quoted reads a value that begins with a quote, up to the closing one. Without a closing quote, and with more text behind it, the
// quotes are a part of the value: then ok is false.
func (e *envText) quoted(text string) (value string, ok bool) {
	quote := text[0]
	whole := text[1:] + "\n" + e.text
	end := closing(whole, quote, true)
	if end < 0 && quote == '\'' {
		end = closing(whole, quote, false) // 'C:\'
	}
	if end < 0 {
		e.warn(position{e.file, e.line, 1}, "the quote %c is not closed, and is read as part of the value", quote)
		return "", false
	}
	rest, _, _ := strings.Cut(whole[end+1:], "\n")
	if rest = strings.TrimLeft(rest, " \t"); rest != "" && rest[0] != '#' {
		e.warn(position{e.file, e.line, 1}, "text follows the closing quote, and the quotes are read as part of the value")
		return "", false
	}
	value = whole[:end]
	if lines := strings.Count(value, "\n"); lines > 0 {
		e.text = whole[end+1:]
		e.next() // what is left of the last line
		defer func() { e.line += lines }()
	}
	if quote == '\'' {
		return value, true
	}
	return e.expand(value, func(text string) (string, int) {
		if len(text) > 1 && text[0] == '\\' {
			if i := strings.IndexByte(escapes, text[1]); i >= 0 {
				return escaped[i : i+1], 2
			}
			return text[:2], 2
		}
		return text[:1], 1
	}), true
}

// What stands after a backslash between double quotes, and what it means.
const (
	escapes = `nrt"\$`
	escaped = "\n\r\t\"\\$"
)

// closing is where the quote that closes a value is, -1 if nowhere. With escaping a quote behind a backslash closes nothing.
func closing(text string, quote byte, escaping bool) int {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == quote:
			return i
		case text[i] == '\\' && escaping:
			i++
		}
	}
	return -1
}

// expand puts values in the places of ${NAME}, ${NAME:-word} and ${NAME-word}, and reads the rest by literal, which returns what the
// start of a text stands for, and how long that start is. $NAME is not expanded, since too many passwords have a $.
func (e *envText) expand(text string, literal func(text string) (string, int)) string {
	if strings.IndexByte(text, '$') < 0 && strings.IndexByte(text, '\\') < 0 {
		return text
	}
	var b strings.Builder
	for text != "" {
		if inside, after, ok := cutReference(text); ok {
			value := e.reference(inside)
			if !e.take(&e.used.text, len(value), maxText, position{e.file, e.line, 1}, "more than %d bytes in the values of variables") {
				return ""
			}
			b.WriteString(value)
			text = after
			continue
		}
		if n := 0; text[0] == '$' {
			if n = nameLength(text[1:]); n > 0 {
				if _, known := e.lookup(text[1 : 1+n]); known {
					e.warn(position{e.file, e.line, 1}, "$%s is not expanded here (write ${%[1]s} for its value, or single quotes around the text)", text[1:1+n])
				}
			}
		}
		part, n := literal(text)
		b.WriteString(part)
		text = text[n:]
	}
	return b.String()
}

// cutReference cuts text behind the ${…} that it begins with, if there is a name in it.
func cutReference(text string) (inside, after string, ok bool) {
	rest, ok := strings.CutPrefix(text, "${")
	if !ok || nameLength(rest) == 0 {
		return "", text, false
	}
	return cutBrace(rest)
}

// reference is the value of what stands between ${ and }.
func (e *envText) reference(inside string) string {
	value, err := braces(inside, e.lookup, 0)
	if err != nil {
		name := inside[:nameLength(inside)]
		if name == inside {
			e.warn(position{e.file, e.line, 1}, "the variable %s is not set, and expands to nothing", name)
		} else {
			e.warn(position{e.file, e.line, 1}, "%s", err)
		}
	}
	return value
}

// lookup finds a variable in the file so far, and in the environment.
func (e *envText) lookup(name string) (string, bool) {
	value, ok := e.own[name]
	if ok && e.override {
		return value, true
	}
	if value, ok := e.variables(name); ok {
		return value, true
	}
	return value, ok
}
