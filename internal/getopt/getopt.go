// Package getopt reads command lines as getopt_long(3) of the C library does, for a program that is put in the place of one in C: the options,
// and the words of the errors, are the same.
package getopt

import (
	"fmt"
	"strings"
)

// Parse reads a command line as getopt(3) does, up to the first argument that is no option. short has the letters, each
// with a colon behind it if it takes a value; long leads from a long option to its letter. set is called with each option.
func Parse(args []string, short string, long map[string]byte, set func(letter byte, value string) error) (rest []string, err error) {
	takes := func(letter byte) (value, known bool) {
		i := strings.IndexByte(short, letter)
		return i >= 0 && i+1 < len(short) && short[i+1] == ':', i >= 0 && letter != ':'
	}
	for len(args) > 0 {
		arg := args[0]
		if arg == "--" {
			return args[1:], nil
		}
		if len(arg) < 2 || arg[0] != '-' {
			break
		}
		args = args[1:]
		var letters, value string
		var has bool
		if name, ok := strings.CutPrefix(arg, "--"); ok {
			name, value, has = strings.Cut(name, "=")
			letter := long[name]
			if letter == 0 {
				return nil, fmt.Errorf("unrecognized option '--%s'", name)
			}
			letters = string(letter)
		} else {
			letters = arg[1:]
		}
		for len(letters) > 0 {
			letter := letters[0]
			letters = letters[1:]
			needs, known := takes(letter)
			switch {
			case !known:
				return nil, fmt.Errorf("invalid option -- '%c'", letter)
			case !needs && has:
				return nil, fmt.Errorf("option '%s' takes no value", arg)
			case !needs:
			case has:
			case letters != "":
				value, letters = letters, ""
			case len(args) > 0:
				value, args = args[0], args[1:]
			default:
				return nil, fmt.Errorf("option requires an argument -- '%c'", letter)
			}
			if err := set(letter, value); err != nil {
				return nil, err
			}
		}
	}
	return args, nil
}
