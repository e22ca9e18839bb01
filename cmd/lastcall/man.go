//go:build man

package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// The manual pages are written by a build of their own, so that the command does not carry what writes them:
//
//	go run -tags man ./cmd/lastcall man DIR
func init() {
	generators = append(generators, func(root *cobra.Command) *cobra.Command {
		return &cobra.Command{
			Use:    "man DIR",
			Short:  "Write a manual page for each command into a directory",
			Hidden: true,
			Args:   exactly(1),
			RunE: func(_ *cobra.Command, args []string) error {
				if err := os.MkdirAll(args[0], 0o755); err != nil {
					return err
				}
				root.DisableAutoGenTag = true
				return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "lastcall", Manual: "lastcall"}, args[0])
			},
		}
	})
}
