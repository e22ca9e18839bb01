package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/text"
)

func newConfig() *cobra.Command {
	var options config.Options
	var asJSON, schema, secrets bool
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check the file of lastcall up, and print it as it is understood",
		Long: `Check the file of lastcall up, and print it as it is understood: includes, profiles, variables and environment files
are resolved, and paths are absolute. What is printed is such a file, too: a Procfile becomes a lastcall.yaml.

Values from environment files, and those of variables whose name or content is that of a secret (DB_PASSWORD, API_KEY, a
URL with a password), are not shown: in their place stands a reference to the variable. --show-secrets shows them.

All problems are found at once, each with its line and column; the exit status is then 2. Warnings of what was skipped in a
Procfile or an environment file, and advice, go to stderr.`,
		Example: `  lastcall config
  lastcall config -f Procfile > lastcall.yaml
  lastcall config --schema > lastcall.schema.json`,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			if schema && asJSON {
				return usagef(cmd, "--schema is JSON already: leave --json out")
			}
			if schema {
				_, err := out.Write(config.Schema())
				return err
			}
			file, err := config.Load(options)
			if err != nil {
				return err
			}
			warn(cmd, file)
			if !secrets {
				file.HideSecrets()
			}
			printed := file.YAML
			if asJSON {
				printed = file.JSON
			}
			if _, err = out.Write(printed()); err != nil {
				return err
			}
			for _, line := range file.Advice() {
				fmt.Fprintln(cmd.ErrOrStderr(), "lastcall:", text.Outside(line))
			}
			return nil
		},
	}
	fileFlags(cmd.Flags(), &options)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	cmd.Flags().BoolVar(&secrets, "show-secrets", false, "with the values from environment files, and those that look secret")
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of such files instead, for editors")
	return cmd
}

// warn says what was skipped in the files that were read.
func warn(cmd *cobra.Command, file *config.File) {
	for _, line := range file.Warnings() {
		fmt.Fprintln(cmd.ErrOrStderr(), "lastcall:", line)
	}
}

// fileFlags are the flags of commands that read the file of lastcall up.
func fileFlags(flags *pflag.FlagSet, options *config.Options) {
	flags.StringVarP(&options.Path, "file", "f", "", "what to run: `FILE` (default lastcall.yaml, lastcall.yml or Procfile here)")
	flags.StringSliceVarP(&options.EnvFiles, "env-file", "e", nil, "variables from this `FILE` in place of .env; repeatable")
	flags.StringSliceVar(&options.Profiles, "profile", nil, "with the processes of this `PROFILE`, too; repeatable (default LASTCALL_PROFILES)")
}
