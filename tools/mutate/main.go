// Mutate tells which lines of a package its tests do not pin.
//
//	go -C tools run ./mutate [flag...] package...
//
// It changes one small thing at a time: a condition, a comparison, a constant, a statement less. It runs the tests of the
// package against each change and names the changes that no test notices, the survivors. The tree is not touched: the
// changed file is an overlay of the build. A survivor is a test that is missing, a line that is not needed, or a change that
// changes nothing.
//
// Exits 1 if there is a survivor, and 2 if there was nothing to judge: a package that does not build, or whose tests fail
// without a change.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/token"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	sample  int
	seed    uint64
	files   *regexp.Regexp
	tests   []string // packages; empty means the mutated one
	tags    string
	limit   time.Duration
	args    []string // for the test binaries
	verbose bool
}

func main() {
	var o options
	flag.IntVar(&o.sample, "sample", 0, "try only this `number` of changes, drawn at random; 0 tries all")
	flag.Uint64Var(&o.seed, "seed", 1, "the `seed` that the sample is drawn with")
	files := flag.String("files", "", "change only files whose name matches this regular `expression`, or file:line")
	tests := flag.String("tests", "", "`packages` whose tests are run, separated by commas (default the changed one)")
	flag.StringVar(&o.tags, "tags", "", "build `tags`")
	flag.DurationVar(&o.limit, "timeout", 0, "how long the tests may take per change (default three times what they take without, and 5s)")
	module := flag.String("C", "..", "the `directory` of the module")
	run := flag.String("run", "", "only tests that match this `expression`, as in go test")
	flag.BoolVar(&o.verbose, "v", false, "tell about each change")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "usage: go -C tools run ./mutate [flag...] package...\n\nPackages are relative to the module: ./internal/text\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	var err error
	if o.files, err = regexp.Compile(*files); err != nil {
		fail(err)
	}
	if *tests != "" {
		o.tests = strings.Split(*tests, ",")
	}
	o.args = []string{"-test.short", "-test.failfast", "-test.count=1"}
	if *run != "" {
		o.args = append(o.args, "-test.run="+*run)
	}
	root, err := filepath.Abs(*module)
	if err != nil {
		fail(err)
	}
	survived := 0
	for _, pkg := range flag.Args() {
		n, err := mutate(root, pkg, o)
		if err != nil {
			fail(err)
		}
		survived += n
	}
	if survived > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "mutate:", err)
	os.Exit(2)
}

// listed is what go list says of a package.
type listed struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
}

func list(root string, tags string, packages ...string) ([]listed, error) {
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles", "-tags=" + tags}, packages...)...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// verdict is what the tests said of a change.
type verdict int

const (
	killed   verdict = iota // a test failed
	timedOut                // they did not end in time, which is as good
	noBuild                 // it does not compile, and is none
	survived
)

func (v verdict) String() string {
	return []string{"killed", "timed out", "does not compile", "SURVIVED"}[v]
}

// mutate changes a package, prints what came out, and returns the number of survivors.
func mutate(root, pkg string, o options) (int, error) {
	of, err := list(root, o.tags, pkg)
	if err != nil {
		return 0, err
	}
	if len(of) != 1 {
		return 0, fmt.Errorf("%s is %d packages: name them one by one", pkg, len(of))
	}
	changes, err := changesOf(of[0], o.files)
	if err != nil {
		return 0, err
	}
	all := len(changes)
	if r := rand.New(rand.NewPCG(o.seed, 0)); o.sample > 0 {
		r.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	}
	tested := o.tests
	if len(tested) == 0 {
		tested = []string{of[0].ImportPath}
	}
	with, err := list(root, o.tags, tested...)
	if err != nil {
		return 0, err
	}
	scratch, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(scratch)
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(interrupted)

	t := &tester{scratch: scratch, root: root, tags: o.tags, packages: with, args: o.args, limit: 10 * time.Minute}
	began := time.Now()
	if v, out := t.try(nil); v != survived {
		return 0, fmt.Errorf("the tests of %s without a change: %s\n%s", pkg, v, out)
	}
	if t.limit = o.limit; t.limit == 0 {
		t.limit = 3*time.Since(began) + 5*time.Second
	}
	fmt.Printf("%s: %d changes, at most %v for each\n", of[0].ImportPath, all, t.limit.Round(time.Second))

	var count [survived + 1]int
	var survivors []change
	tried := 0
	for _, c := range changes {
		if o.sample > 0 && tried == o.sample {
			break
		}
		if len(interrupted) > 0 {
			fmt.Println("interrupted")
			break
		}
		v, _ := t.try(&c)
		count[v]++
		if v != noBuild {
			tried++
		}
		if v == survived {
			survivors = append(survivors, c)
		}
		if o.verbose || v == survived {
			fmt.Printf("%s: %s\n", c.in(root), v)
		}
	}
	slices.SortFunc(survivors, func(a, b change) int {
		if by := strings.Compare(a.file, b.file); by != 0 {
			return by
		}
		return a.start - b.start
	})
	fmt.Printf("\n%s: %d tried, %d killed, %d timed out, %d survived (%d did not compile)\n",
		of[0].ImportPath, tried, count[killed], count[timedOut], count[survived], count[noBuild])
	for _, c := range survivors {
		fmt.Println(c.in(root))
	}
	return len(survivors), nil
}

// in names a change the way a compiler names a place.
func (c change) in(root string) string {
	file, err := filepath.Rel(root, c.file)
	if err != nil {
		file = c.file
	}
	return fmt.Sprintf("%s: %s", token.Position{Filename: file, Line: c.line, Column: c.column}, c.what)
}
