// Command bench measures lastcall side by side with a hand-written daemon and with other libraries: what a worker costs
// while it waits, how long a stop takes, what an idle process does, how soon a worker learns of a signal, and what the
// HTTP adapter costs. It prints tables; README.md beside it holds the last of them.
//
//	go -C bench run .
//
// Everything that is compared is measured in the same run, in turns, each sample in a process of its own, and what
// counts are ratios, counts and medians: on a busy machine the times themselves mean little.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == childCommand {
		exit(child(os.Args[2:]))
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func exit(err error) {
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// sections are the parts of the benchmark, in the order in which they run. Memory, stop and million are the same
// samples, read twice.
var sections = []string{"memory", "stop", "million", "idle", "signal", "serve"}

// Result is everything that one run found.
type Result struct {
	Machine  Machine        `json:"machine"`
	Settings settings       `json:"settings"`
	Skipped  []string       `json:"skipped,omitempty"`
	Tables   []*Table       `json:"tables"`
	Targets  []Target       `json:"targets"`
	Workers  []workerResult `json:"workers,omitempty"`
	Idle     []idleResult   `json:"idle,omitempty"`
	Signals  []signalResult `json:"signals,omitempty"`
	Serve    *serveResult   `json:"serve,omitempty"`
}

// settings are the flags that say how much is measured.
type settings struct {
	Only    []string      `json:"only"`
	Sizes   []int         `json:"sizes"`   // workers
	Samples []int         `json:"samples"` // for each of the sizes
	Million int           `json:"million"`
	Window  time.Duration `json:"window_ns"`
	Signals int           `json:"signals"`
	Rounds  int           `json:"rounds"`
	Round   time.Duration `json:"round_ns"`
}

func (s *settings) has(section string) bool { return slices.Contains(s.Only, section) }

// Target is a limit that was set beforehand, and what was measured.
type Target struct {
	What     string  `json:"what"`
	Limit    float64 `json:"limit"`
	AtLeast  bool    `json:"at_least,omitempty"` // the limit is a lower one
	Measured float64 `json:"measured"`
}

func (t Target) met() bool {
	if t.AtLeast {
		return t.Measured >= t.Limit
	}
	return t.Measured <= t.Limit
}

// bench is one run.
type bench struct {
	settings
	result Result
	self   string // this program
	dir    string // for the programs that it builds
	log    io.Writer
}

func run(ctx context.Context, args []string, out, log io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(log)
	quick := flags.Bool("quick", false, "a look in under a minute: fewer workers, samples and signals")
	only := flags.String("only", strings.Join(sections, ","), "measure only these")
	sizes := flags.String("sizes", "10000,100000", "numbers of workers")
	million := flags.Int("million", 1_000_000, "workers of the last measurement")
	window := flags.Duration("window", 125*time.Second, "how long the idle processes are watched")
	signals := flags.Int("signals", 1000, "signals to each program")
	rounds := flags.Int("rounds", 15, "rounds of requests to each server")
	jsonFile := flags.String("json", "", "write everything that was measured to this `file`")
	markdownFile := flags.String("markdown", "", "write the tables as Markdown to this `file`")
	write := flags.Bool("write", false, "replace the tables in README.md")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}

	b := &bench{log: log, settings: settings{
		Million: *million, Window: *window, Signals: *signals, Rounds: *rounds, Round: time.Second,
	}}
	set := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if *quick {
		b.Round = 100 * time.Millisecond
		for _, less := range []struct {
			flag string
			use  func()
		}{
			{"sizes", func() { *sizes = "1000,10000" }},
			{"million", func() { b.Million = 50_000 }},
			{"window", func() { b.Window = 2 * time.Second }},
			{"signals", func() { b.Signals = 50 }},
			{"rounds", func() { b.Rounds = 5 }},
		} {
			if !set[less.flag] {
				less.use()
			}
		}
	}
	for size := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil || n < 1 {
			return fmt.Errorf("-sizes: %q is not a number of workers", size)
		}
		samples := 15
		switch {
		case *quick:
			samples = 3
		case n >= 50_000:
			samples = 7
		}
		b.Sizes, b.Samples = append(b.Sizes, n), append(b.Samples, samples)
	}
	for section := range strings.SplitSeq(*only, ",") {
		if !slices.Contains(sections, section) {
			return fmt.Errorf("-only: there is no %q, only %s", section, strings.Join(sections, ", "))
		}
		b.Only = append(b.Only, section)
	}

	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "lastcall-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	b.result.Machine, b.result.Settings = thisMachine(), b.settings
	if err := b.measure(ctx); err != nil {
		return err
	}

	b.result.print(out)
	if *jsonFile != "" {
		text, err := json.MarshalIndent(b.result, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(*jsonFile, append(text, '\n'), 0o666); err != nil {
			return err
		}
	}
	if *markdownFile != "" {
		var text strings.Builder
		b.result.markdown(&text)
		if err := os.WriteFile(*markdownFile, []byte(text.String()), 0o666); err != nil {
			return err
		}
	}
	if *write {
		return b.result.writeREADME("README.md")
	}
	return nil
}

func (b *bench) measure(ctx context.Context) error {
	steps := []struct {
		wanted  bool
		measure func(context.Context) error
	}{
		{b.has("memory") || b.has("stop") || b.has("million"), b.measureWorkers},
		{b.has("idle"), b.measureIdle},
		{b.has("signal"), b.measureSignals},
		{b.has("serve"), b.measureServe},
	}
	for _, step := range steps {
		if !step.wanted {
			continue
		}
		if err := step.measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

// skip says what is not measured and why.
func (b *bench) skip(what string, why error) {
	line := fmt.Sprintf("%s is skipped: %v", what, why)
	b.result.Skipped = append(b.result.Skipped, line)
	fmt.Fprintln(b.log, line)
}

func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(b.log, format+"\n", args...)
}

func (b *bench) table(title, note string, header ...string) *Table {
	t := &Table{Title: title, Note: note, Header: header}
	b.result.Tables = append(b.result.Tables, t)
	return t
}

func (b *bench) target(t Target) { b.result.Targets = append(b.result.Targets, t) }
