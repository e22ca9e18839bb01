//go:build unix

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/check"
)

// directory is where the sources are, from the root of the module.
const directory = "check/corpus"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	if err := run(ctx); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	only := flag.String("only", "", "`REGEXP` of names")
	write := flag.Bool("write", false, "replace the table in check/README.md")
	beside := flag.Int("parallel", 6, "`N` daemons at the same time")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	k, err := newKit(ctx, directory)
	if err != nil {
		return err
	}
	defer k.close()
	var (
		mu    sync.Mutex
		all   sync.WaitGroup
		rows  = map[string]*check.Report{}
		wrong int
		turn  = make(chan struct{}, *beside)
	)
	began := time.Now()
	for _, d := range corpus {
		if !pattern.MatchString(d.Name) {
			continue
		}
		if why := k.missing[d.language()]; why != "" {
			return fmt.Errorf("%s: %s", d.Name, why)
		}
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			report, err := k.play(ctx, d)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				fmt.Printf("%s: %v\n", d.Name, err)
				wrong++
				return
			}
			rows[d.Name] = report
			for _, line := range d.compare(report) {
				fmt.Println(line)
				wrong++
			}
			fmt.Fprintf(os.Stderr, "%s: %d lives in %v\n", d.Name, report.Lives, report.Took.Round(100*time.Millisecond))
		})
	}
	all.Wait()
	fmt.Fprintf(os.Stderr, "%d daemons in %v\n", len(rows), time.Since(began).Round(time.Second))
	if wrong > 0 {
		return fmt.Errorf("%d verdicts are not those that the corpus says", wrong)
	}
	if *write {
		return writeTable("check/README.md", rows)
	}
	return nil
}
