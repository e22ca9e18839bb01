package text

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON is a JSON document that means the same, and that a terminal or the log of a CI system shows without obeying it: in its
// strings what has no ink is written as \u202e, and the marks of [Inert] are broken up. Line feeds between values stay.
func JSON(doc []byte) []byte {
	if isPlainJSON(doc) {
		return doc
	}
	b := bytes.NewBuffer(make([]byte, 0, len(doc)+64))
	for i := 0; i < len(doc); {
		r, size := utf8.DecodeRune(doc[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\ufffd`)
		case r == '[' && afterMarker(doc[:i]):
			b.WriteString(`\u005b`)
		case r < 0x7f:
			b.WriteByte(byte(r))
		case r >= 0x10000 && isInvisible(r):
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		case isInvisible(r) && !isOtherSpace(r):
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.Bytes()
}

func isPlainJSON(doc []byte) bool {
	for _, c := range doc {
		if c >= 0x7f {
			return false
		}
	}
	return !bytes.Contains(doc, []byte("##"))
}

// isOtherSpace reports whether r is a space that is not the ASCII one: it does no harm in a string.
func isOtherSpace(r rune) bool {
	return r == 0xa0 || r == 0x1680 || r >= 0x2000 && r <= 0x200a || r == 0x202f || r == 0x205f || r == 0x3000
}

// afterMarker reports whether a [ after doc would be the end of a mark.
func afterMarker(doc []byte) bool {
	for _, m := range markers {
		if bytes.HasSuffix(doc, []byte(m[:len(m)-1])) {
			return true
		}
	}
	return false
}

// Quote is s as a JSON string, which is one of YAML, too, safe as [JSON] makes it. What is not UTF-8 becomes U+FFFD.
func Quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // text can always be JSON
	return strings.TrimSuffix(string(JSON(b.Bytes())), "\n")
}
