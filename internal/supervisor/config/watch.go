package config

import (
	"errors"
	globbing "path"
)

// watch is a file or a directory, a list of them, or a mapping.
func watch() *kind[Watch] {
	paths := oneOrMore("files and directories", path("a file or directory"))
	short := &kind[Watch]{
		form: paths.form,
		read: func(r *reader, n *node, v *Watch) { paths.read(r, n, &v.Paths) },
		write: func(v Watch) *node {
			if v.Ignore != nil {
				return nil
			}
			return paths.write(v.Paths)
		},
	}
	whole := group[Watch](watchKeys())
	return &kind[Watch]{
		form: form{words: paths.words + ", or a mapping", keys: whole.keys, schema: func() schema { return or(paths.schema(), whole.schema()) }},
		read: func(r *reader, n *node, v *Watch) {
			if n.kind == mapping {
				whole.read(r, n, v)
				return
			}
			short.read(r, n, v)
		},
		write: func(v Watch) *node {
			if n := short.write(v); n != nil {
				return n
			}
			return whole.write(v)
		},
	}
}

func watchKeys() object {
	return object{keys: []*key{
		required(field("paths", "path files", "Files, and directories with everything below them.",
			oneOrMore("files and directories", path("a file or directory")), func(v *Watch) *[]string { return &v.Paths })),
		field("ignore", "exclude ignore_watch", "Patterns of names, or of paths below a directory, whose changes do not count, such as `*.log` or `gen/*`.",
			oneOrMore("patterns", filePattern()), func(v *Watch) *[]string { return &v.Ignore }),
	}}
}

// filePattern is a pattern with *, ? and [a-z].
func filePattern() *kind[string] {
	return single("a pattern such as *.log", func() schema { return schema{"type": scalarTypes} }, func(text string) (string, error) {
		if text == "" {
			return "", errors.New("must not be empty")
		}
		if _, err := globbing.Match(text, ""); err != nil {
			return "", errors.New("a [ in the pattern is not closed")
		}
		return text, nil
	}, textNode)
}
