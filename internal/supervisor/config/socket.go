package config

import (
	"os"
	"regexp"
)

// Socket is the absolute path of the file that Load would read, and what it says of the control socket, "" if nothing. It
// asks for no more than that: the rest of the file may be wrong, and the file need not be there if it has a name.
func Socket(name string) (file, socket string, err error) {
	at, err := find(name)
	if err != nil {
		return "", "", err
	}
	r := &reader{variables: lookup(os.Environ())}
	text, err := r.read(at, false)
	if err != nil || isProcfile(at.path) {
		return at.path, "", nil
	}
	dotenv := r.dotenv(at)
	r.variables = lookup(os.Environ(), dotenv)
	root := parseYAML(r, at, text)
	if root == nil { // its line may be right
		root = parseYAML(r, at, regexp.MustCompile(`(?m)^socket[ \t]*:.*$`).Find(text))
	}
	doc := &document{File: File{Path: at.path, Dir: at.dir}}
	if root != nil && root.kind == mapping {
		if value := root.get("socket"); value != nil {
			documentKeys().read(r, &node{at: root.at, kind: mapping, entries: []entry{{"socket", value.at, value}}}, doc)
		}
	}
	return at.path, doc.Socket, nil
}
