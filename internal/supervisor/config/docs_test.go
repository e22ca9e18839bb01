package config

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The tables of docs/config.md are those by which files are read.
func TestDocumentation(t *testing.T) {
	const name = "../../../docs/config.md"
	text := read(t, name)
	var shown []string
	got := regexp.MustCompile(`(?s)(<!-- keys: ?(\S*) -->\n).*?(<!-- end -->)`).ReplaceAllStringFunc(text, func(block string) string {
		marker, _, _ := strings.Cut(block, "\n")
		path := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(marker, "<!-- keys:"), "-->"))
		shown = append(shown, path)
		return marker + "\n" + table(t, path) + "<!-- end -->"
	})
	got = dotenvBlock.ReplaceAllString(got, "$1\n"+strings.ReplaceAll(dotenvTable(), "$", "$$")+"$2")
	if got != text {
		if !*update {
			t.Errorf("docs/config.md is not of these tables: go test ./internal/supervisor/config -update")
		} else if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var look func(path string, keys []*key)
	look = func(path string, keys []*key) {
		if len(keys) > 0 && !slices.Contains(shown, path) {
			t.Errorf("docs/config.md has no table for %q", path)
		}
		for _, k := range keys {
			if k.name != "steps" { // described with stop
				look(strings.TrimPrefix(path+"."+k.name, "."), k.keys)
			}
		}
	}
	look("", documentKeys().keys)
}

var dotenvBlock = regexp.MustCompile(`(?s)(<!-- dotenv -->).*?(<!-- end dotenv -->)`)

// shownInDocs are the texts of otherReaders that tell the readers apart best.
var shownInDocs = []string{
	"A = b", "A=b # c", "A=b#c", "A=#ff0000", "A=a b c", "export A=b", "1A=b", "A: b", "A='it\\'s'", `A="b\nc"`, `A="b\tc"`, `A="b\$c"`, "A=C:\\dir\\new",
	"A=\"b\nc\"", "A=${SET}", `A="x ${SET} y"`, "A=$SET", "A='${SET}'", "A=${UNSET:-d}", "A=\"b\" c", "A=\"b", "A=b\r\nB=c", "A=b\rB=c", "\ufeffA=b", "lol$wut\nB=c",
}

// dotenvTable compares how files of variables are read.
func dotenvTable() string {
	shown := func(value string) string {
		switch value {
		case absent:
			return "–"
		case refused:
			return "error"
		case "":
			return "empty"
		}
		value = strings.NewReplacer("\n", "␊", "\r", "␍", "\t", "␉", "\ufeff", "<BOM>", "|", `\|`).Replace(value)
		return "`" + value + "`"
	}
	var b strings.Builder
	b.WriteString("\n| text | variable | lastcall | foreman | honcho | dotenv | godotenv | Docker Compose |\n|---|---|---|---|---|---|---|---|\n")
	for _, text := range shownInDocs {
		for _, c := range otherReaders {
			if c.text != text || c.name != "A" && c.name != "1A" && text[0] != 'l' {
				continue
			}
			o := c.others
			fmt.Fprintf(&b, "| %s | `%s` |", shown(c.text), c.name)
			for _, value := range []string{c.ours, o[0], o[1], o[2], o[4], o[5]} {
				fmt.Fprintf(&b, " %s |", shown(value))
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\n")
	return b.String()
}

// table is the keys of the mapping at path.
func table(t *testing.T, path string) string {
	t.Helper()
	keys := documentKeys().keys
	for name := range strings.SplitSeq(path, ".") {
		if name == "" {
			continue
		}
		i := slices.IndexFunc(keys, func(k *key) bool { return k.name == name })
		if i < 0 {
			t.Fatalf("docs/config.md: there is no key %q", path)
		}
		keys = keys[i].keys
	}
	var b strings.Builder
	b.WriteString("\n| key | what it says | value |\n|---|---|---|\n")
	for _, k := range keys {
		words := k.words
		if k.required {
			words += "; required"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.name, k.doc, strings.ReplaceAll(words, "|", `\|`))
	}
	b.WriteString("\n")
	return b.String()
}
