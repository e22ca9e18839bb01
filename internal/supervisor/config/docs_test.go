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
	if got != text {
		if !*update {
			t.Errorf("docs/config.md is not of this table of keys: go test ./internal/supervisor/config -update")
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
