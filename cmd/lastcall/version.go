package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/process"
	"github.com/spf13/cobra"
)

// buildInfo is what this program was built from, and with.
type buildInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"` // the work tree differed from the revision
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`

	Features []process.Feature `json:"features,omitempty"` // where they are asked for
}

func build() buildInfo {
	b := buildInfo{Version: "(unknown)", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func newVersion() *cobra.Command {
	var asJSON, features bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which lastcall this is, and what it was built with",
		Args:  exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := build()
			if features {
				b.Features = append(process.Features(), control.Feature())
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), b, "  ")
			}
			lines := []string{fmt.Sprintf("lastcall %s %s %s/%s", b.Version, b.Go, b.OS, b.Arch)}
			if features {
				lines = append(append(lines, ""), featureTable(b.Features)...)
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), strings.Join(lines, "\n"))
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, with the revision")
	cmd.Flags().BoolVar(&features, "features", false, "with what this system has of what lastcall uses, and what it lacks")
	return cmd
}

// featureTable is a row for each feature.
func featureTable(features []process.Feature) []string {
	rows := [][]string{{"FEATURE", "HERE", "WHAT IT IS FOR", "WITH WHAT, OR WHY NOT"}}
	for _, f := range features {
		has := "no"
		if f.Has {
			has = "yes"
		}
		rows = append(rows, []string{f.Name, has, f.Does, f.Why})
	}
	return align(rows, 0, 0)
}
