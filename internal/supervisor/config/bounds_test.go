package config

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// repeated is text, as often as it fits into a file with what is around it.
func repeated(before, text, after string) string {
	return before + strings.Repeat(text, (maxFile-len(before)-len(after))/len(text)) + after
}

// numbered is lines made of a format with a number, as many as fit.
func numbered(before, format string) string {
	var b strings.Builder
	b.WriteString(before)
	for i := 0; b.Len() < maxFile-100; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// many is a file of n processes p0, p1, …, all the same.
func many(n int, body string) string {
	var b strings.Builder
	b.WriteString("processes:\n")
	for i := range n {
		fmt.Fprintf(&b, " p%d: %s\n", i, body)
	}
	return b.String()
}

// stairs is a mapping in a mapping in a mapping.
func stairs() string {
	var b strings.Builder
	for i := 0; b.Len() < maxFile-2000; i++ {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// A file of 1 MiB that does the worst it can is read, or refused, in bounded memory and time: a reload reads it while
// everything runs. The bounds are loose; without limits each of these takes gigabytes or minutes.
func TestBounds(t *testing.T) {
	web := "processes: {web: {command: web}}\n"
	for name, test := range map[string]struct{ text, env, want string }{
		"brackets":           {text: strings.Repeat("[", maxFile/4), want: "lastcall.yaml:1:101: nested too deeply"},
		"a million brackets": {text: repeated("", "[", ""), want: "lastcall.yaml: too many values"},
		"closed brackets":    {text: strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), want: "lastcall.yaml:1:101: nested too deeply"},
		"braces":             {text: repeated("", "{a: ", ""), want: "nested too deeply"},
		"dashes":             {text: repeated("", "- ", "a"), want: "nested too deeply"},
		"question marks":     {text: repeated("", "? ", "a"), want: "nested too deeply"},
		"stairs":             {text: stairs(), want: "lastcall.yaml:101:102: nested too deeply"},
		"tags":               {text: repeated("", "!!map ", ""), want: "nested too deeply"},
		"anchors":            {text: repeated("", "&a ", ""), want: "nested too deeply"},
		"anchored lists":     {text: repeated("", "&a [", ""), want: "nested too deeply"},
		"pairs":              {text: repeated("[", "a: ", "]"), want: "nested too deeply"},
		"keys":               {text: numbered("processes:\n", " p%d: {}\n"), want: "lastcall.yaml:10002:8: more than 10000 keys in one mapping"},
		"keys, deeper":       {text: numbered("processes:\n web:\n  env:\n", "   A%d: 1\n"), want: "more than 10000 keys in one mapping"},
		"the same key":       {text: repeated("", "a:\n", ""), want: "more than 10000 keys in one mapping"},
		"values":             {text: repeated("processes: [", "a,", "]"), want: "too many values"},
		"empty lists":        {text: repeated("x-a: [", "[],", "]"), want: "too many values"},
		"documents":          {text: repeated("", "--- a\n", ""), want: "a second document begins here"},
		"merges":             {text: repeated("x-a: &a {b: c}\nx-b:\n", " <<: *a\n", ""), want: "more than 10000 keys in one mapping"},
		"aliases of much":    {text: "x-a: &a [" + strings.Repeat("b, ", 1000) + "]\n" + many(9000, "{env: *a}"), want: "aliases stand for more than 200000 values"},
		"laughs":             {text: "x-a: &a [" + strings.Repeat("b,", 100) + "]\nx-b: &b [" + strings.Repeat("*a,", 100) + "]\nx-c: &c [" + strings.Repeat("*b,", 100) + "]\nx-d: [" + strings.Repeat("*c,", 100) + "]\n" + web, want: "aliases stand for more than 200000 values"},
		"a long value":       {text: repeated("grace: ", "x", ""), want: "…"},
		"a variable":         {text: "processes: {web: {command: [" + strings.Repeat("$BIG,", 50_000) + "]}}", env: "BIG=" + strings.Repeat("x", 900_000), want: "more than 16777216 bytes in the values of variables"},
		"variables":          {text: "name: \"" + strings.Repeat("$BIG", 10_000) + "\"\n" + web, env: "BIG=" + strings.Repeat("x", 900_000), want: "larger than 1 MiB when its variables"},
		"defaults":           {text: repeated("name: ", "${A:-", "") + "\n", want: "lastcall.yaml"},
		"closed defaults":    {text: "name: \"" + strings.Repeat("${A:-", 1000) + strings.Repeat("}", 1000) + "\"\n" + web, want: "more than 20 nested defaults"},
		"a wrong line":       {text: "processes: {web: {command: [" + strings.Repeat("a,%!(b 1),", 20_000) + "]}}", want: "lastcall.yaml:1:"},
		"env for everybody":  {text: many(5000, "{command: x}"), env: numbered("", "A%d=\n")[:100_000], want: "more than 1000000 variables in all processes"},
		"an env file":        {text: web, env: numbered("", "A%d=\n"), want: ""},
		"the same env file":  {text: "env_file: [" + strings.Repeat(".env,", 60_000) + "]\n" + web, env: numbered("", "A%d=\n"), want: "more than 1000000 variables in all processes"},
		"wrong lines":        {text: web, env: repeated("", "x y\n", ""), want: ""},
		"cycles":             {text: many(5000, "{command: x, after: [p1, p2, p3, p4, p5, p6, p7, p8, p9]}"), want: "dependency cycle"},
		"unknown names":      {text: many(5000, "{command: x, after: [px, py, pz]}"), want: "more problems"},
		"quotes":             {text: repeated("name: '", "x''", "'"), want: "…"},
		"lines of text":      {text: repeated("x-a: |\n", " x\n", web), want: ""},
		"comments":           {text: repeated("", "# x, and so on, as in a license\n", ""), want: "the file has no processes"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"lastcall.yaml": test.text, ".env": test.env} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(dir)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := Load(Options{Environ: []string{}})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %.500s\nwant %s", got, test.want)
			}
			if len(got) > 100_000 {
				t.Errorf("the error has %d bytes", len(got))
			}
			if all := (after.TotalAlloc - before.TotalAlloc) >> 20; all > 1000 {
				t.Errorf("%d MB were allocated, in %s", all, took)
			}
		})
	}
}

// What others call nothing, or a file, and Load must not: a directory called .env, a byte order mark, a file without end.
func TestLoadFiles(t *testing.T) {
	web := "processes: {web: {command: web}}\n"
	write := func(t *testing.T, name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	load := func(t *testing.T, text, want string) {
		t.Helper()
		write(t, "lastcall.yaml", text)
		_, err := Load(Options{Environ: []string{}})
		if got := fmt.Sprint(err); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	t.Run("directory .env", func(t *testing.T) {
		t.Chdir(t.TempDir())
		if err := os.Mkdir(".env", 0o700); err != nil {
			t.Fatal(err)
		}
		load(t, web, "<nil>")
		load(t, "env_file: .env\n"+web, "lastcall.yaml:1:11: .env: is a directory")
	})
	t.Run("byte order mark", func(t *testing.T) {
		t.Chdir(t.TempDir())
		load(t, "\ufeff"+web, "<nil>")
		load(t, "\ufeffgrce: 1s\n"+web, `lastcall.yaml:1:1: unknown key "grce", did you mean "grace"?`)
	})
	t.Run("device", func(t *testing.T) {
		if _, err := os.Stat("/dev/zero"); err != nil {
			t.Skipf("no device without end: %v", err)
		}
		t.Chdir(t.TempDir())
		load(t, "include: /dev/zero\n"+web, "/dev/zero: larger than 1 MiB")
		load(t, "env_file: /dev/zero\n"+web, "/dev/zero: larger than 1 MiB")
		if err := os.Symlink("/dev/zero", ".env"); err != nil {
			t.Fatal(err)
		}
		load(t, web, ".env: larger than 1 MiB")
		for _, name := range []string{"lastcall.yaml", "x.procfile"} {
			if err := os.Remove("lastcall.yaml"); err != nil && name == "lastcall.yaml" {
				t.Fatal(err)
			}
			os.Remove(".env")
			if err := os.Symlink("/dev/zero", name); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(Options{Path: name}); fmt.Sprint(err) != name+": larger than 1 MiB" {
				t.Errorf("%s: %v", name, err)
			}
			if _, socket, err := Socket(name); socket != "" || err != nil {
				t.Errorf("%s: socket %q, %v", name, socket, err)
			}
		}
	})
	t.Run("the same missing file", func(t *testing.T) {
		t.Chdir(t.TempDir())
		load(t, "env_file: [-x.env, x.env]\n"+web, "lastcall.yaml:1:20: x.env: no such file or directory")
	})
	t.Run("patterns", func(t *testing.T) {
		t.Chdir(t.TempDir())
		for _, dir := range []string{"a", "b[1]", "c"} {
			if err := os.MkdirAll(filepath.Join("conf", dir), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join("conf", dir, "x.yaml"), "processes: {"+dir[:1]+": {command: x}}\n")
		}
		load(t, "include: conf/*/*.yaml\n"+web, "<nil>")
		load(t, "include: conf/*/../*/x.yaml\n"+web, "lastcall.yaml:1:10: include: conf/*/../*/x.yaml: .. is not allowed after a wildcard")
		load(t, "include: 'conf/[/x.yaml'\n"+web, "lastcall.yaml:1:10: include: conf/[/x.yaml: syntax error in pattern")
		load(t, "include: nowhere/*/x.yaml\n"+web, "<nil>")
		file, err := Load(Options{Environ: []string{}})
		if err != nil || len(file.Processes) != 1 {
			t.Errorf("%v, %v", file, err)
		}
		t.Chdir("conf/b[1]") // whose name is no pattern
		write(t, "lastcall.yaml", "include: '*x.yaml'\n")
		if file, err = Load(Options{Environ: []string{}}); err != nil || len(file.Processes) != 1 {
			t.Errorf("%v, %v", file, err)
		}
		t.Chdir(t.TempDir())
		for i := range maxMatches + 1 {
			write(t, fmt.Sprintf("%d.inc", i), "")
		}
		load(t, "include: '*.inc'\n"+web, "lastcall.yaml:1:10: include: *.inc: matches more than 1000 files")
	})
}
