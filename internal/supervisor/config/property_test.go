package config

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/process"
)

// setDefault sets a flag of rapid for this test unless the command line does.
func setDefault(t *testing.T, name, value string) {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if f := flag.Lookup(name); !given && f != nil {
		old := f.Value.String()
		_ = f.Value.Set(value) // not flag.Set, after which the flag would count as given
		t.Cleanup(func() { _ = f.Value.Set(old) })
	}
}

// propertyDefaults make the cases the same each time; -rapid.seed=0 tries others, and -rapid.checks says how many.
func propertyDefaults(t *testing.T) {
	t.Helper()
	setDefault(t, "rapid.seed", "20260301")
	setDefault(t, "rapid.checks", "100")
	setDefault(t, "rapid.nofailfile", "true")
}

// Whatever a file says, what is printed of it says the same.
func TestPrintedIsTheSame(t *testing.T) {
	propertyDefaults(t)
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) { roundTrip(rt, dir, drawFile(rt)) })
}

// Whatever stands in a .env or a list of variables, the value arrives.
func TestVariablesArrive(t *testing.T) {
	propertyDefaults(t)
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		value := drawText(rt, "value")
		var b strings.Builder
		b.WriteString("V=\"")
		for _, c := range value {
			if strings.ContainsRune(`"\$`, c) {
				b.WriteByte('\\')
			}
			b.WriteRune(c)
		}
		b.WriteString("\"\n")
		name := filepath.Join(dir, "v.env")
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			rt.Fatal(err)
		}
		r := &reader{variables: lookup(nil)}
		file := &source{path: name, shown: name}
		want := "V=" + unixLines(value)
		if got := r.readEnv(file, position{file: file}, false, true); len(r.problems) > 0 || len(got) != 1 || got[0] != want {
			rt.Fatalf("%q: got %q %v, want %q", b.String(), got, r.problems, want)
		}
	})
}

// drawText is text as it may come: from pieces that mean something in YAML, in a shell or to us, and any others.
func drawText(t *rapid.T, what string) string {
	pieces := rapid.SliceOfN(rapid.OneOf(
		rapid.SampledFrom([]string{
			"a", "web", " ", "  ", "\n", "\n\n", "\t", ":", ": ", "#", " #", "-", "- ", "--", "?", "? ", "&", "*", "!", "|", ">", "%", "@", "`", "'", "\"", "\\", "\\n",
			"{", "}", "[", "]", ",", ", ", "$", "$$", "${", "${A}", "$A", "<<", "=", "~", "null", "true", "no", "1", "0x1", "1e3", "1.5", ".inf", "2001-01-01", "---", "...", "\r", "\u0085", "\u2028",
			"\ufeff", "é", "日本", "\U0001F600", "\x01", "\x7f", "10s", "$(x)", "; ", "&&", "2>&1",
		}),
		rapid.StringN(0, 4, -1),
	), 0, 6).Draw(t, what)
	text := strings.ToValidUTF8(strings.Join(pieces, ""), "")
	return strings.ReplaceAll(text, "\x00", "")
}

func drawName(t *rapid.T, what string) string {
	return rapid.StringMatching(`[A-Za-z0-9_.][A-Za-z0-9_.-]{0,6}`).Filter(func(s string) bool { return checkName(s) == nil && s != reserved }).Draw(t, what)
}

// maybe is a drawn value, half of the time, and otherwise zero.
func maybe[V any](t *rapid.T, what string, draw func() V) (v V) {
	if rapid.Bool().Draw(t, what) {
		v = draw()
	}
	return v
}

func drawDuration(t *rapid.T, what string) time.Duration {
	return time.Duration(rapid.Int64Range(1, math.MaxInt64/4).Draw(t, what))
}

func drawCommand(t *rapid.T, what string) Command {
	if rapid.Bool().Draw(t, what) {
		if line := drawText(t, what); strings.TrimSpace(line) != "" {
			return Command{Shell: line}
		}
		return Command{Shell: "true"}
	}
	args := []string{"x" + drawText(t, what)}
	for range rapid.IntRange(0, 3).Draw(t, what) {
		args = append(args, drawText(t, what))
	}
	return Command{Args: args}
}

func drawPath(t *rapid.T, what string) string {
	return filepath.Join("/", "x"+drawText(t, what))
}

func drawSignal(t *rapid.T) string {
	return rapid.SampledFrom([]string{"SIGTERM", "SIGINT", "SIGUSR1", "SIGRTMIN", "SIGRTMIN+5"}).Draw(t, "signal")
}

func drawFile(t *rapid.T) *File {
	f := &File{
		Name:   drawName(t, "name"),
		Grace:  drawDuration(t, "grace"),
		Exit:   rapid.SampledFrom([]ExitRule{ExitFirst, ExitEssential, ExitWorst}).Draw(t, "exit"),
		Socket: maybe(t, "socket", func() string { return drawPath(t, "socket") }),
		Log: Log{
			Format: rapid.SampledFrom([]string{"", "auto", "text", "json"}).Draw(t, "format"),
			Times:  rapid.SampledFrom([]string{"", "auto", "none", "time", "full"}).Draw(t, "times"),
		},
	}
	f.LameDuck = maybe(t, "lame duck", func() time.Duration { return drawDuration(t, "lame duck") % f.Grace })
	for i := range rapid.IntRange(1, 4).Draw(t, "processes") {
		f.Processes = append(f.Processes, drawProcess(t, f, drawName(t, "process")+"x"+strconv.Itoa(i)))
	}
	return f
}

// drawProcess is a process that may be next in f.
func drawProcess(t *rapid.T, f *File, name string) *Process {
	p := &Process{
		Name:        name,
		Command:     drawCommand(t, "command"),
		Dir:         drawPath(t, "dir"),
		Description: maybe(t, "description", func() string { return "x" + drawText(t, "description") }),
		User:        rapid.SampledFrom([]string{"", "www", "0", "1000:1000", "www:www"}).Draw(t, "user"),
		Port:        maybe(t, "port", func() int { return rapid.IntRange(1, 65535).Draw(t, "port") }),
		Instances:   1,
		Watchdog:    maybe(t, "watchdog", func() time.Duration { return drawDuration(t, "watchdog") }),
		Notify:      rapid.Bool().Draw(t, "notify"),
		Kill:        rapid.SampledFrom([]string{"family", "group", "process", "all"}).Draw(t, "kill"),
		Restart:     Restart{When: rapid.SampledFrom([]string{"never", "on-failure", "always"}).Draw(t, "restart")},
		Clean:       maybe(t, "clean", func() []int { return rapid.SliceOfN(rapid.IntRange(1, 255), 1, 3).Draw(t, "clean") }),
		Priority:    rapid.IntRange(-20, 19).Draw(t, "priority"),
		Outlive:     rapid.Bool().Draw(t, "outlive"),
		TTY:         rapid.Bool().Draw(t, "tty"),
		NoNewPrivs:  maybe(t, "no new privileges", func() *bool { v := rapid.Bool().Draw(t, "no_new_privs"); return &v }),
		Capabilities: maybe(t, "capabilities", func() []string {
			return rapid.SliceOfN(rapid.SampledFrom(process.Capabilities()), 0, 3).Draw(t, "capabilities")
		}),
		OnExit: rapid.SampledFrom([]OnExit{OnExitFail, OnExitContinue, OnExitEssential}).Draw(t, "on exit"),
		Hooks: Hooks{
			BeforeStart: maybe(t, "before start", func() *Command { c := drawCommand(t, "before start"); return &c }),
			AfterStop:   maybe(t, "after stop", func() *Command { c := drawCommand(t, "after stop"); return &c }),
		},
		Limits: Limits{
			NoFile: maybe(t, "nofile", func() uint64 { return rapid.Uint64Range(1, math.MaxInt32).Draw(t, "nofile") }),
			Core: maybe(t, "core", func() *uint64 {
				c := rapid.OneOf(rapid.Just(uint64(math.MaxUint64)), rapid.Uint64Range(0, math.MaxInt64)).Draw(t, "core")
				return &c
			}),
			Memory: maybe(t, "memory", func() uint64 {
				return rapid.OneOf(rapid.Uint64Range(1, math.MaxInt64), rapid.SampledFrom([]uint64{1 << 10, 1e6, 3 << 30, 7e12})).Draw(t, "memory")
			}),
			Stack:     maybe(t, "stack", func() *uint64 { v := uint64(rapid.Int64Range(0, math.MaxInt64).Draw(t, "stack")); return &v }),
			MemLock:   maybe(t, "memlock", func() *uint64 { v := uint64(math.MaxUint64); return &v }),
			NProc:     maybe(t, "nproc", func() uint64 { return rapid.Uint64Range(1, math.MaxInt32).Draw(t, "nproc") }),
			Pids:      maybe(t, "pids", func() uint64 { return rapid.Uint64Range(1, math.MaxInt32).Draw(t, "pids") }),
			MemoryMax: maybe(t, "memory_max", func() uint64 { return rapid.Uint64Range(1, math.MaxInt64).Draw(t, "memory_max") }),
			CPUs:      maybe(t, "cpus", func() float64 { return float64(rapid.IntRange(1, 1e8).Draw(t, "cpus")) / 100 }),
			CPU:       maybe(t, "cpu", func() time.Duration { return time.Duration(rapid.IntRange(1, 1e6).Draw(t, "cpu")) * time.Second }),
		},
		Umask:    maybe(t, "umask", func() *int { v := rapid.IntRange(0, 0o777).Draw(t, "umask"); return &v }),
		Profiles: maybe(t, "profiles", func() []string { return []string{drawName(t, "profile")} }),
	}
	for range rapid.IntRange(0, 3).Draw(t, "variables") {
		variable := rapid.StringMatching(`[A-Za-z_][A-Za-z0-9_.-]{0,5}`).Filter(func(s string) bool { return s != "PORT" }).Draw(t, "variable")
		p.Env = merge(p.Env, variable+"="+drawText(t, "value"))
	}
	if p.Port > 0 {
		p.Env = append(p.Env, fmt.Sprintf("PORT=%d", p.Port))
	}
	for _, other := range f.Processes {
		switch rapid.IntRange(0, 3).Draw(t, "dependency") {
		case 3:
			if other.Restart.When != "always" && other.Schedule == "" && other.OnExit != OnExitEssential {
				p.AfterEnd = append(p.AfterEnd, other.Name)
			}
		case 1:
			p.After = append(p.After, other.Name)
		case 2:
			p.Requires = append(p.Requires, other.Name)
		}
	}
	if rapid.Bool().Draw(t, "several") {
		p.Instances = rapid.IntRange(0, 100).Draw(t, "instances")
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "sockets") {
		l := Listener{Name: drawName(t, "socket") + strconv.Itoa(i), Network: rapid.SampledFrom(networks).Draw(t, "network")}
		if strings.HasPrefix(l.Network, "unix") {
			l.Address = filepath.Join("/run", name+strconv.Itoa(i)+drawText(t, "socket")+"x")
		} else {
			l.Address = rapid.SampledFrom([]string{":0", "127.0.0.1:0", "[::1]:0", "localhost:0"}).Draw(t, "address")
		}
		p.Listen = append(p.Listen, l)
	}
	check := func(c *Check) {
		c.Every = maybe(t, "every", func() time.Duration { return drawDuration(t, "every") })
		c.Within = maybe(t, "within", func() time.Duration { return drawDuration(t, "within") })
		c.Failures = maybe(t, "failures", func() int { return rapid.IntRange(1, 1000).Draw(t, "failures") })
	}
	if rapid.Bool().Draw(t, "oneshot") {
		p.Oneshot, p.Watchdog = true, 0
		if p.Restart.When == "always" {
			p.Restart.When = "never"
		}
		p.Ready.Within = maybe(t, "within", func() time.Duration { return drawDuration(t, "within") })
	} else {
		switch rapid.IntRange(0, 7).Draw(t, "ready") {
		case 1:
			p.Ready.Notify, p.Notify = true, rapid.Bool().Draw(t, "notify")
		case 2:
			p.Ready.FD = 10
		case 3:
			p.Ready.TCP = "127.0.0.1:80"
		case 4:
			p.Ready.HTTP = rapid.SampledFrom([]string{"http://127.0.0.1:80", "https://x.example/a%20b?c=$d#e"}).Draw(t, "url")
		case 5:
			p.Ready.Log = "^" + strings.ReplaceAll(drawText(t, "log"), `\E`, "") + `.*$`
			p.Ready.Log = `\Q` + strings.ReplaceAll(p.Ready.Log, `\`, "") + `\E$`
		case 6:
			c := drawCommand(t, "exec")
			p.Ready.Exec = &c
		case 7:
			p.Ready.Delay = drawDuration(t, "delay")
		}
		if p.Ready != (Ready{}) {
			p.Ready.Within = maybe(t, "within", func() time.Duration { return drawDuration(t, "within") })
		}
		switch rapid.IntRange(0, 3).Draw(t, "liveness") {
		case 1:
			p.Liveness.TCP = "[::1]:80"
			check(&p.Liveness)
		case 2:
			p.Liveness.HTTP = "http://127.0.0.1:8080/"
			check(&p.Liveness)
		case 3:
			c := drawCommand(t, "exec")
			p.Liveness.Exec = &c
			check(&p.Liveness)
		}
		if p.Instances == 1 && p.Restart.When != "always" && p.OnExit != OnExitEssential {
			p.Schedule = rapid.SampledFrom([]string{"", "*/5 * * * *", "@daily", "@every 10m", "0 0 * * mon,fri"}).Draw(t, "schedule")
		}
	}
	if p.Schedule == "" {
		p.Watch.Paths = maybe(t, "watch", func() []string { return []string{drawPath(t, "watched"), drawPath(t, "watched")} })
		if p.Watch.Paths != nil {
			p.Watch.Ignore = maybe(t, "ignore", func() []string { return []string{"*.log"} })
		}
	}
	drawStop(t, p)
	if p.Restart.When != "never" {
		p.Restart.Delay = maybe(t, "delay", func() time.Duration { return drawDuration(t, "delay") })
		p.Restart.Max = maybe(t, "max", func() time.Duration { return p.Restart.Delay + drawDuration(t, "max") })
		p.Restart.Stable = maybe(t, "stable", func() time.Duration { return drawDuration(t, "stable") })
		p.Restart.Limit = rapid.SampledFrom([]int{-1, 0, 1, 1000}).Draw(t, "limit")
		p.Restart.Window = maybe(t, "window", func() time.Duration { return drawDuration(t, "window") })
	}
	switch rapid.IntRange(0, 2).Draw(t, "reload") {
	case 1:
		p.Reload.Signal = drawSignal(t)
	case 2:
		c := drawCommand(t, "reload")
		p.Reload.Command = &c
	}
	switch rapid.IntRange(0, 3).Draw(t, "log") {
	case 1:
		p.Log.None = true
	case 2:
		p.Log.Inherit = true
	case 3:
		p.Log.File = drawPath(t, "log")
		p.Log.Stderr = maybe(t, "stderr", func() string { return p.Log.File + "2" })
		if rapid.Bool().Draw(t, "rotate") {
			p.Log.Rotate, p.Log.Keep = rapid.Int64Range(1, math.MaxInt64).Draw(t, "rotate"), rapid.IntRange(0, 100).Draw(t, "keep")
		}
		p.Log.Mode = maybe(t, "mode", func() int { return 0o200 | rapid.IntRange(0, 0o777).Draw(t, "log mode") })
		p.Log.Owner = maybe(t, "owner", func() string { return rapid.SampledFrom([]string{"web", "web:adm", "33", "33:4"}).Draw(t, "log owner") })
	}
	return p
}

func drawStop(t *rapid.T, p *Process) {
	p.StopBy = maybe(t, "stop by", func() *Command { c := drawCommand(t, "stop by"); return &c })
	p.Within.Stop = maybe(t, "within", func() time.Duration { return drawDuration(t, "within") })
	p.Within.Extend = maybe(t, "extend", func() time.Duration {
		return rapid.SampledFrom([]time.Duration{-1, time.Second, time.Hour}).Draw(t, "extend")
	})
	for range rapid.IntRange(0, 3).Draw(t, "steps") {
		p.Stop = append(p.Stop, Step{Signal: drawSignal(t), Within: time.Duration(rapid.Int64Range(1, 1000).Draw(t, "step"))})
	}
	if last := len(p.Stop) - 1; last >= 0 {
		p.Stop[last].Within = 0
		if p.Within.Stop > 0 {
			p.Within.Stop += time.Duration(1000 * len(p.Stop))
		}
	}
	p.Stop = slices.Clip(p.Stop)
}
