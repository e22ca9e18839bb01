package config

import (
	"errors"
	"fmt"
	"strings"
)

// A reference is a name of something else, and where it stands.
type reference struct {
	name string
	at   position
}

// reserved is the name under which lastcall's own lines appear.
const reserved = "lastcall"

// nameText is a name as processes have it.
func nameText(what string) *kind[string] {
	return single(what, func() schema { return pattern(`^[A-Za-z0-9_.-]+$`) },
		func(text string) (string, error) { return text, checkName(text) }, textNode)
}

// checkName says what is wrong with the name of a process or of a profile.
func checkName(name string) error {
	if name == "" {
		return errors.New("the name is empty")
	}
	if strings.Trim(name, ".") == "" {
		return fmt.Errorf("the name %q consists of dots only", name)
	}
	for _, c := range name {
		if c >= 0x80 || !letter(byte(c)) && !digit(byte(c)) && !strings.ContainsRune("_.-", c) {
			return fmt.Errorf("the name %q contains %q; letters, digits, _, . and - are allowed", name, c)
		}
	}
	return nil
}

// references is a name, with its position.
func references(what string) *kind[reference] {
	k := anyText(what)
	return &kind[reference]{form: k.form, read: func(r *reader, n *node, v *reference) {
		v.at = n.at
		k.read(r, n, &v.name)
	}, write: func(v reference) *node { return textNode(v.name) }}
}

// user is name or name:group.
func user() *kind[string] {
	return single("name, name:group, or numbers", func() schema { return schema{"type": scalarTypes} },
		func(text string) (string, error) {
			name, group, grouped := strings.Cut(text, ":")
			if name == "" || grouped && group == "" || strings.ContainsAny(text, " \t\n/") || strings.Contains(group, ":") {
				return "", fmt.Errorf("%q is not name or name:group", text)
			}
			return text, nil
		}, textNode)
}
