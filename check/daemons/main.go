//go:build unix

// Command daemons checks daemons that others wrote, and writes docs/daemons.md.
//
//	go run ./check/daemons -write                 check those that are installed, and write the table
//	go run ./check/daemons -install -write        install with apt-get what is missing, first
//	go run ./check/daemons -only redis,memcached  check these, and print what was found
//
// It runs at the top of the repository, on a Debian system. As root it runs the daemons as the user nobody.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall/check"
)

const document = "docs/daemons.md"

// found is what is known of a daemon.
type found struct {
	*daemon `json:"-"`
	Name    string
	Version string
	Report  *check.Report
}

func main() {
	write := flag.Bool("write", false, "write "+document)
	install := flag.Bool("install", false, "install what is missing, with apt-get")
	quick := flag.Bool("quick", false, "as lastcall check --quick")
	only := flag.String("only", "", "the `NAMES` of those to check, with commas")
	from := flag.String("from", "", "check nothing, and take what earlier runs have kept in these `FILES`, with commas")
	keep := flag.String("keep", "", "keep what is found in this `FILE`, for -from")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	var all []found
	var err error
	if *from != "" {
		all, err = kept(strings.Split(*from, ","))
	} else {
		all, err = lookAtAll(ctx, *install, *quick, *only)
	}
	if len(all) > 0 && *keep != "" {
		err = errors.Join(err, keepIn(*keep, all))
	}
	if err == nil && *write {
		err = writeAll(all)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "daemons:", err)
		os.Exit(1)
	}
}

// lookAtAll checks the daemons, or those that are asked for.
func lookAtAll(ctx context.Context, install, quick bool, only string) (all []found, err error) {
	for i := range daemons {
		d := &daemons[i]
		if only != "" && !slices.Contains(strings.Split(only, ","), d.name) {
			continue
		}
		if err := d.available(install); err != nil {
			return all, fmt.Errorf("%s: %w", d.name, err)
		}
		f, err := d.look(ctx, quick)
		if err != nil {
			return all, fmt.Errorf("%s: %w", d.name, err)
		}
		all = append(all, *f)
	}
	return all, nil
}

func keepIn(name string, all []found) error {
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}

// kept is what was kept of each daemon, in their order; of several runs the last.
func kept(names []string) (all []found, err error) {
	byName := map[string]found{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var some []found
		if err := json.Unmarshal(text, &some); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, f := range some {
			byName[f.Name] = f
		}
	}
	for i := range daemons {
		if f, ok := byName[daemons[i].name]; ok {
			f.daemon = &daemons[i]
			all = append(all, f)
		}
	}
	return all, nil
}

// writeAll writes the document, which has all daemons.
func writeAll(all []found) error {
	if len(all) != len(daemons) {
		return errors.New("the document is written of all daemons: leave out -only")
	}
	file, err := os.Create(document)
	if err != nil {
		return err
	}
	return errors.Join(writeDocument(file, all), file.Close())
}

// available reports why the daemon is not here.
func (d *daemon) available(install bool) error {
	_, err := exec.LookPath(d.program)
	if err == nil || !install {
		return err
	}
	for _, args := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", d.pkg}} {
		cmd := exec.Command("apt-get", append([]string{"-q"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%v: %w", cmd.Args, err)
		}
	}
	_, err = exec.LookPath(d.program)
	return err
}

// look checks the daemon, and prints what it finds.
func (d *daemon) look(ctx context.Context, quick bool) (*found, error) {
	p, err := d.newPlace()
	if err != nil {
		return nil, err
	}
	defer p.remove()
	out, err := exec.Command(d.version[0], d.version[1:]...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%v: %w", d.version, err)
	}
	f := &found{daemon: d, Name: d.name, Version: numberIn(string(out))}
	fmt.Printf("\n%s %s\n", d.name, f.Version)
	c := d.check(p)
	c.Quick = quick
	c.Observe = func(e check.Progress) {
		if e.Result != nil {
			_ = e.Result.WriteText(os.Stdout)
		}
	}
	if f.Report, err = c.Run(ctx); err != nil {
		var start *check.StartError
		if errors.As(err, &start) && start.Output != "" {
			err = fmt.Errorf("%w\n%s", err, start.Output)
		}
		return nil, err
	}
	return f, nil
}

// numberIn is the version in what a program says of itself: the first word, or end of one, that begins with a digit.
func numberIn(text string) string {
	for _, word := range strings.Fields(text) {
		if i := strings.IndexAny(word, "0123456789"); i >= 0 && strings.Contains(word[i:], ".") {
			return strings.Trim(word[i:], "(),;")
		}
	}
	return strings.TrimSpace(text)
}
