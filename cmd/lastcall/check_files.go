package main

import (
	"cmp"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lastcall-go/lastcall/check"
)

// checkFiles are the files that a report goes to.
type checkFiles struct{ report, svg, junit, tap, markdown, sarif string }

func (f *checkFiles) flags(flags *pflag.FlagSet) {
	flags.StringVar(&f.report, "report", "", "write the report as JSON into this `FILE`")
	flags.StringVar(&f.svg, "svg", "", "draw the verdicts and the worst life into this `FILE`")
	flags.StringVar(&f.junit, "junit", "", "write the report as JUnit XML into this `FILE`")
	flags.StringVar(&f.tap, "tap", "", "print TAP in place of the table, or write it into the `FILE` of --tap=FILE")
	flags.StringVar(&f.markdown, "markdown", "", "print Markdown in place of the table, or write it into the `FILE` of --markdown=FILE")
	flags.StringVar(&f.sarif, "sarif", "", "write the findings as SARIF into this `FILE`, for code scanning")
	flags.Lookup("tap").NoOptDefVal = "-"
	flags.Lookup("markdown").NoOptDefVal = "-"
}

// each calls do with the flag and the file of each form that is asked for.
func (f *checkFiles) each(do func(flag, name string, write func(io.Writer, *check.Report) error)) {
	for _, one := range []struct {
		flag, name string
		write      func(io.Writer, *check.Report) error
	}{
		{"report", f.report, check.WriteJSON},
		{"svg", f.svg, check.WriteSVG},
		{"junit", f.junit, check.WriteJUnit},
		{"tap", f.tap, check.WriteTAP},
		{"markdown", f.markdown, check.WriteMarkdown},
		{"sarif", f.sarif, check.WriteSARIF},
	} {
		if one.name != "" {
			do(one.flag, one.name, one.write)
		}
	}
}

// stdout is the flag whose form goes to standard output, "" if that has the table.
func (f *checkFiles) stdout() (flag string) {
	f.each(func(one, name string, _ func(io.Writer, *check.Report) error) {
		if name == "-" {
			flag = one
		}
	})
	return flag
}

// look says now what writing would say at the end. It writes nothing, and leaves no file that was not there.
func (f *checkFiles) look(cmd *cobra.Command) (err error) {
	to := map[string]string{} // the flags, by their files
	f.each(func(flag, name string, _ func(io.Writer, *check.Report) error) {
		switch other := to[name]; {
		case err != nil:
		case other != "" && name == "-":
			err = usagef(cmd, "--%s and --%s cannot both go to standard output", other, flag)
		case other != "":
			err = usagef(cmd, "--%s and --%s cannot both go into %s", other, flag, name)
		default:
			to[name] = flag
			err = canWrite(cmd, flag, name)
		}
	})
	return err
}

// write writes them all, and returns the first error.
func (f *checkFiles) write(cmd *cobra.Command, report *check.Report) (err error) {
	f.each(func(_, name string, write func(io.Writer, *check.Report) error) {
		one := writeFile(cmd.OutOrStdout(), name, func(w io.Writer) error { return write(w, report) })
		err = cmp.Or(err, one)
	})
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		err = cmp.Or(err, check.WriteGitHub(cmd.ErrOrStderr(), report))
	}
	if name := os.Getenv("GITHUB_STEP_SUMMARY"); name != "" {
		err = cmp.Or(err, appendFile(name, func(w io.Writer) error { return check.WriteMarkdown(w, report) }))
	}
	return err
}

// readBaseline reads an earlier report, nil if none is asked for.
func readBaseline(cmd *cobra.Command, name string) (*check.Report, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, usagef(cmd, "--baseline: %w", err)
	}
	defer f.Close()
	before, err := check.ReadJSON(f)
	if err != nil {
		return nil, usagef(cmd, "--baseline: %s: %w", name, err)
	}
	return before, nil
}
