package control

import (
	"path"
	"slices"
	"strings"
)

// Match is names with those of known in the place of each pattern: * stands for any text, ? for one character, [a-c] for one of several.
// A pattern that matches none is the error of [Unknown]. A name without these characters stays, whether it is known or not.
func Match(names, known []string, shownBy string) (list []string, err error) {
	for _, name := range names {
		if !isPattern(name) {
			list = append(list, name)
			continue
		}
		found := false
		for _, one := range known {
			if matches(name, one) {
				if found = true; !slices.Contains(list, one) {
					list = append(list, one)
				}
			}
		}
		if !found {
			return nil, Unknown(name, nil, shownBy)
		}
	}
	return list, nil
}

func isPattern(name string) bool { return strings.ContainsAny(name, "*?[") }

// matches reports whether a name is meant by what somebody wrote: the name, or a pattern.
func matches(written, name string) bool {
	if !isPattern(written) {
		return written == name
	}
	ok, _ := path.Match(written, name) // a broken pattern matches nothing
	return ok
}
