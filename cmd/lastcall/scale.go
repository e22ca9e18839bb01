package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// number adds NAME=N to the numbers of instances.
func number(cmd *cobra.Command, arg string, instances map[string]int) error {
	name, text, _ := strings.Cut(arg, "=")
	n, err := strconv.Atoi(text)
	if name == "" || err != nil || n < 0 {
		return usagef(cmd, "not NAME=N: %s", arg)
	}
	if _, twice := instances[name]; twice {
		return usagef(cmd, "%s is named twice", name)
	}
	instances[name] = n
	return nil
}

// namesAndNumbers are the names in args, and the numbers of instances that args and scale have for some.
func namesAndNumbers(cmd *cobra.Command, args, scale []string) (names []string, instances map[string]int, err error) {
	instances = map[string]int{}
	for _, arg := range args {
		name, _, numbered := strings.Cut(arg, "=")
		if numbered {
			if err := number(cmd, arg, instances); err != nil {
				return nil, nil, err
			}
		}
		names = append(names, name)
	}
	for _, arg := range scale {
		if err := number(cmd, arg, instances); err != nil {
			return nil, nil, err
		}
	}
	return names, instances, nil
}
