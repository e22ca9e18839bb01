package getopt

import (
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	long := map[string]byte{"single-child": 'c', "rewrite": 'r'}
	for _, test := range []struct{ line, options, rest, err string }{
		{"", "", "", ""},
		{"ls -l", "", "ls -l", ""},
		{"-c ls -r", "c=", "ls -r", ""},
		{"-cv -- -c", "c= v=", "-c", ""},
		{"-r 1:2 -r3:4 x", "r=1:2 r=3:4", "x", ""},
		{"-cr 1:2", "c= r=1:2", "", ""},
		{"--rewrite 1:2 --rewrite=3:4 --single-child x", "r=1:2 r=3:4 c=", "x", ""},
		{"- x", "", "- x", ""},
		{"-z", "", "", "invalid option -- 'z'"},
		{"-c -r", "c=", "", "option requires an argument -- 'r'"},
		{"--yolo x", "", "", "unrecognized option '--yolo'"},
		{"--single-child=1", "", "", "option '--single-child=1' takes no value"},
		{"-r no", "", "", "no is refused"},
	} {
		var options []string
		rest, err := Parse(strings.Fields(test.line), "cvr:", long, func(letter byte, value string) error {
			if value == "no" {
				return fmt.Errorf("%s is refused", value)
			}
			options = append(options, string(letter)+"="+value)
			return nil
		})
		said := ""
		if err != nil {
			said = err.Error()
		}
		if got := strings.Join(options, " "); got != test.options || strings.Join(rest, " ") != test.rest || said != test.err {
			t.Errorf("%q: options %q, rest %q, error %q", test.line, got, rest, said)
		}
	}
}
