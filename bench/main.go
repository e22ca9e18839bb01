// Command bench measures lastcall side by side with a hand-written daemon and with other libraries: what a worker costs
// while it waits, how long a stop takes, what an idle process does, how soon a worker learns of a signal, and what the
// HTTP adapter costs. And it measures lastcall's command side by side with other supervisors and inits. It prints
// tables; README.md beside it holds the last of them.
//
//	go -C bench run .
//	go -C bench run . -only supervisors -peers DIRECTORY
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

// librarySections are the parts of the benchmark that are about the library, in the order in which they run. Memory, stop
// and million are the same samples, read twice.
var librarySections = []string{"memory", "stop", "million", "operations", "idle", "signal", "serve"}

// sectionSets are words for several sections.
var sectionSets = map[string][]string{"library": librarySections, "supervisors": supervisorSections}

// Result is everything that one run found.
type Result struct {
	Machine     Machine        `json:"machine"`
	Settings    settings       `json:"settings"`
	Findings    []*Findings    `json:"findings"`
	Workers     []workerResult `json:"workers,omitempty"`
	Idle        []idleResult   `json:"idle,omitempty"`
	Signals     []signalResult `json:"signals,omitempty"`
	Serve       *serveResult   `json:"serve,omitempty"`
	Supervision *Supervision   `json:"supervision,omitempty"`
}

// Findings are the tables of one set of sections.
type Findings struct {
	Set     string   `json:"set"` // library or supervisors
	Skipped []string `json:"skipped,omitempty"`
	Tables  []*Table `json:"tables"`
	Targets []Target `json:"targets"`
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

	// Of the supervisors.
	Peers     string        `json:"-"` // a directory
	Lastcall  string        `json:"-"` // a program
	Against   []string      `json:"against,omitempty"`
	Children  []int         `json:"children"`   // of a supervisor
	Watch     time.Duration `json:"watch_ns"`   // the idle ones
	Lives     int           `json:"lives"`      // of each supervisor with each number of children
	InitLives int           `json:"init_lives"` // of each init
	Trials    int           `json:"trials"`     // of each program, of early signals
	Lines     int           `json:"lines"`      // each child writes
	Outputs   int           `json:"outputs"`    // runs of output
	Patience  time.Duration `json:"patience_ns"`
	Rolls     int           `json:"rolls"`
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
	found  *Findings // of the set that is being measured
	self   string    // this program
	dir    string    // for the programs that it builds
	log    io.Writer
}

func run(ctx context.Context, args []string, out, log io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(log)
	quick := flags.Bool("quick", false, "a look: fewer of everything")
	only := flags.String("only", "library,supervisors", "measure only these sections: library is "+strings.Join(librarySections, ",")+"; supervisors is "+strings.Join(supervisorSections, ","))
	sizes := flags.String("sizes", "10000,100000", "numbers of workers")
	million := flags.Int("million", 1_000_000, "workers of the last measurement")
	window := flags.Duration("window", 125*time.Second, "how long the idle processes are watched")
	signals := flags.Int("signals", 1000, "signals to each program")
	rounds := flags.Int("rounds", 15, "rounds of requests to each server")
	peers := flags.String("peers", "", "look for other supervisors in this `directory`, and then in PATH")
	against := flags.String("against", "", "measure lastcall's command against these only: dinit,tini")
	program := flags.String("lastcall", "", "measure this `file` in place of the command that is built from the tree around")
	childrenList := flags.String("children", "1,10,100,1000", "numbers of children of a supervisor")
	watch := flags.Duration("watch", 65*time.Second, "how long the idle supervisors are watched")
	trials := flags.Int("trials", 1000, "early signals to each supervisor")
	rolls := flags.Int("rolls", 50, "rolling restarts")
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
		Peers: *peers, Lastcall: *program, Watch: *watch, Lives: 5, InitLives: 100, Trials: *trials, Lines: 250_000, Outputs: 3,
		Patience: 40 * time.Second, Rolls: *rolls,
	}}
	if *against != "" {
		b.Against = strings.Split(*against, ",")
	}
	set := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if *quick {
		b.Round = 100 * time.Millisecond
		b.Lives, b.InitLives, b.Lines, b.Outputs, b.Patience = 1, 15, 50_000, 1, 30*time.Second
		for _, less := range []struct {
			flag string
			use  func()
		}{
			{"sizes", func() { *sizes = "1000,10000" }},
			{"million", func() { b.Million = 50_000 }},
			{"window", func() { b.Window = 2 * time.Second }},
			{"signals", func() { b.Signals = 50 }},
			{"rounds", func() { b.Rounds = 5 }},
			{"children", func() { *childrenList = "1,10,100" }},
			{"watch", func() { b.Watch = 3 * time.Second }},
			{"trials", func() { b.Trials = 40 }},
			{"rolls", func() { b.Rolls = 5 }},
		} {
			if !set[less.flag] {
				less.use()
			}
		}
	}
	if b.Children, err = numbers(*childrenList); err != nil {
		return fmt.Errorf("-children: %w", err)
	}
	if b.Sizes, err = numbers(*sizes); err != nil {
		return fmt.Errorf("-sizes: %w", err)
	}
	for _, n := range b.Sizes {
		samples := 15
		switch {
		case *quick:
			samples = 3
		case n >= 50_000:
			samples = 7
		}
		b.Samples = append(b.Samples, samples)
	}
	for section := range strings.SplitSeq(*only, ",") {
		switch set := sectionSets[section]; {
		case set != nil:
			b.Only = append(b.Only, set...)
		case slices.Contains(librarySections, section) || slices.Contains(supervisorSections, section):
			b.Only = append(b.Only, section)
		default:
			return fmt.Errorf("-only: there is no %q, only library (%s) and supervisors (%s)",
				section, strings.Join(librarySections, ", "), strings.Join(supervisorSections, ", "))
		}
	}

	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "lastcall-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	b.result.Machine, b.result.Settings = thisMachine(), b.settings
	err = b.measure(ctx)
	b.result.print(out) // what there is, also after an error
	if err != nil {
		return err
	}
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

// numbers reads positive numbers with commas between.
func numbers(list string) (all []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is not a positive number", text)
		}
		all = append(all, n)
	}
	return all, nil
}

// measure goes through the sets of which something is wanted.
func (b *bench) measure(ctx context.Context) error {
	for _, set := range []struct {
		name    string
		measure func(context.Context) error
	}{
		{"library", b.measureLibrary},
		{"supervisors", b.measureSupervisors},
	} {
		if !slices.ContainsFunc(sectionSets[set.name], b.has) {
			continue
		}
		b.found = &Findings{Set: set.name}
		b.result.Findings = append(b.result.Findings, b.found)
		if err := set.measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) measureLibrary(ctx context.Context) error {
	steps := []struct {
		wanted  bool
		measure func(context.Context) error
	}{
		{b.has("memory") || b.has("stop") || b.has("million"), b.measureWorkers},
		{b.has("operations"), b.measureOperations},
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
	b.found.Skipped = append(b.found.Skipped, line)
	fmt.Fprintln(b.log, line)
}

func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(b.log, format+"\n", args...)
}

func (b *bench) table(title, note string, header ...string) *Table {
	t := &Table{Title: title, Note: note, Header: header}
	b.found.Tables = append(b.found.Tables, t)
	return t
}

func (b *bench) target(t Target) { b.found.Targets = append(b.found.Targets, t) }
