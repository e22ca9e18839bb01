package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const sample = `package p

func f(a, b int, ok bool) int {
	for i := 0; i < b; i++ {
		a += i
	}
	if a > 10 && !ok {
		return a - 1
	}
	println(max(a, b))
	return b
}
`

func TestChanges(t *testing.T) {
	list, err := changesIn("p.go", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list {
		changed := string(c.apply([]byte(sample)))
		line := strings.Split(changed, "\n")[c.line-1]
		got = append(got, fmt.Sprintf("%d: %s: %s", c.line, c.what, strings.TrimSpace(line)))
	}
	want := []string{
		"4: 0 → 1: for i := 1; i < b; i++ {",
		"4: < → <= in i < b: for i := 0; i <= b; i++ {",
		"5: += → -= in a += i: a -= i",
		"5: without a += i: if false { a += i }",
		"7: if a > 10 && !ok → if !(…): if !(a > 10 && !ok) {",
		"7: && → || in a > 10 && !ok: if a > 10 || !ok {",
		"7: > → >= in a > 10: if a >= 10 && !ok {",
		"7: 10 → 11: if a > 11 && !ok {",
		"7: !ok → ok: if a > 10 && ok {",
		"8: without return a - 1: if false { return a - 1 }",
		"8: - → + in a - 1: return a + 1",
		"8: a - 1 → a: return a",
		"8: 1 → 2: return a - 2",
		"10: without println(max(a, b)): if false { println(max(a, b)) }",
		"10: max(a, b) → a: println(a)",
		"10: max(a, b) → b: println(b)",
	}
	left := map[string]bool{}
	for _, w := range want {
		left[w] = true
	}
	for _, g := range got {
		if !left[g] {
			t.Errorf("not wanted: %s", g)
		}
		delete(left, g)
	}
	for w := range left {
		t.Errorf("missing: %s", w)
	}
}

// TestMutate judges a package with a test that pins one of its two functions, and a loop that a change makes endless.
func TestMutate(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/p\n\ngo 1.26\n",
		"p.go": `package p

func pinned(a int) bool { return a < 3 }

func loose(a int) bool { return a > 3 }

func ends(a int) int {
	for a < 5 {
		a++
	}
	return a
}
`,
		"p_test.go": `package p

import "testing"

func Test(t *testing.T) {
	if !pinned(2) || pinned(3) || loose(1) || ends(1) != 5 {
		t.Error("wrong")
	}
}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	of, err := list(dir, "", ".")
	if err != nil {
		t.Fatal(err)
	}
	changes, err := changesOf(of[0], regexp.MustCompile(""))
	if err != nil {
		t.Fatal(err)
	}
	tests := &tester{scratch: t.TempDir(), root: dir, packages: of, limit: time.Minute}
	if v, out := tests.try(nil); v != survived {
		t.Fatalf("without a change: %v: %s", v, out)
	}
	tests.limit = time.Second
	for _, c := range changes {
		want := killed
		switch {
		case c.line == 5 && c.what != "3 → 4" && !strings.HasPrefix(c.what, "> → >="):
			t.Fatalf("not expected: %s", c.what)
		case c.line == 5:
			want = survived
		case c.what == "without a++":
			want = timedOut
		case c.line > 6: // enough
			continue // ends when the numbers do, or before
		}
		if v, out := tests.try(&c); v != want {
			t.Errorf("%s: %v, want %v: %s", c.in(dir), v, want, out)
		}
	}
	source, err := os.ReadFile(filepath.Join(dir, "p.go"))
	if err != nil || !strings.Contains(string(source), "a < 3") {
		t.Errorf("the tree was touched: %v %s", err, source)
	}
}
