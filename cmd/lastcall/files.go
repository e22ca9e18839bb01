package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/safefile"
	"github.com/lastcall-go/lastcall/timeline"
)

// writePicture draws the report into the file with this name, if there is one.
func writePicture(stdout io.Writer, name string, report lastcall.Report) error {
	return writeFile(stdout, name, func(w io.Writer) error { return timeline.SVG(w, report) })
}

// writeReport writes the report as JSON into the file with this name, if there is one.
func writeReport(stdout io.Writer, name string, report lastcall.Report) error {
	return writeFile(stdout, name, func(w io.Writer) error { return timeline.WriteJSON(w, report) })
}

// writeFile writes a whole file or none of it: a report that is there is replaced by one that is whole.
func writeFile(stdout io.Writer, name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if name == "-" {
		_, err := stdout.Write(b.Bytes())
		return err
	}
	return safefile.Replace(name, b.Bytes())
}

// appendFile adds to a file that others may have written to.
func appendFile(name string, write func(io.Writer) error) error {
	file, err := safefile.OpenLog(name, safefile.LogOptions{})
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// canWrite says now what writing the flag's file would say at the end. It leaves nothing behind.
func canWrite(cmd *cobra.Command, flag, name string) error {
	if name == "" || name == "-" {
		return nil
	}
	if err := safefile.CanReplace(name); err != nil {
		return usagef(cmd, "--%s: %w", flag, err)
	}
	return nil
}

// reportLost is how a command ends whose reports could not all be written: with status 2 if all else went well, else as it would
// end without, and then this is only said.
func reportLost(cmd *cobra.Command, end error, written ...error) error {
	lost := errors.Join(written...)
	own := (*statusError)(nil)
	switch {
	case lost == nil:
		return end
	case end == nil || errors.As(end, &own) && own.status == 0:
		return &statusError{2, errors.Join(end, lost)}
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "lastcall:", oneLine(lost))
	return end
}
