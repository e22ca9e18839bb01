package config

import (
	"strings"

	"github.com/lastcall-go/lastcall/internal/text"
)

// Warnings are lines of environment files and of a Procfile that were skipped, or read otherwise than their author may have meant:
// one line each, which begins with the file and the line.
func (f *File) Warnings() (lines []string) {
	for _, p := range f.warnings {
		lines = append(lines, text.Outside(p.String()))
	}
	return lines
}

// Advice is what is not wrong and could be better: one line each, which begins with a code that stays the same.
func (f *File) Advice() (lines []string) {
	var names []string
	for _, p := range f.Processes {
		if name, _, _ := strings.Cut(p.User, ":"); name != "" && name != "0" && name != "root" && p.NoNewPrivs == nil {
			names = append(names, p.Name)
		}
	}
	if len(names) > 0 {
		lines = append(lines, "advice user-no-new-privs: "+strings.Join(names, ", ")+": with user and without no_new_privs; "+
			"set it to true unless a set-user-ID program such as sudo is needed, or to false to keep this quiet")
	}
	return lines
}
