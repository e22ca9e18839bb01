package text

import "strings"

// markers are what the logs of CI systems obey wherever it stands in a line: GitHub Actions' older form and Azure Pipelines'
// own, and TeamCity's.
var markers = [...]string{"##[", "##vso[", "##teamcity["}

// Inert puts a backslash into what a CI system that shows the text in its log would take as a command: "::name …::" where a
// word begins, which is a workflow command of GitHub Actions at the beginning of a line, and "##[name]", "##vso[…]" and
// "##teamcity[…]" anywhere. All else is left as it is.
func Inert(s string) string {
	if !strings.Contains(s, "::") && !strings.Contains(s, "##") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		switch s[i] {
		case ':':
			if (i == 0 || s[i-1] <= ' ') && isCommand(s[i:]) {
				b.WriteByte('\\')
			}
		case '#':
			if i > 0 && s[i-1] == '#' && hasMarker(s[i-1:]) {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// isCommand reports whether s begins with a workflow command, whatever its name.
func isCommand(s string) bool {
	name, ok := strings.CutPrefix(s, "::")
	n := 0
	for n < len(name) && (name[n]|0x20 >= 'a' && name[n]|0x20 <= 'z' || name[n] >= '0' && name[n] <= '9' || name[n] == '-' || name[n] == '_') {
		n++
	}
	if !ok || n == 0 {
		return false
	}
	if strings.HasPrefix(name[n:], "::") {
		return true
	}
	return (name[0] < '0' || name[0] > '9') && (name[n:] == "" || name[n] <= ' ') // and not the address ::1
}

func hasMarker(s string) bool {
	for _, m := range markers {
		if strings.HasPrefix(s, m) {
			return true
		}
	}
	return false
}
