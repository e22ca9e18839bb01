package config

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/lastcall-go/lastcall/internal/nearest"
)

// A source is one file that is read.
type source struct {
	path  string // absolute
	shown string // as the user would write it
	dir   string // absolute
}

// A position is a place in a file.
type position struct {
	file         *source
	line, column int
}

// A node is a value in a YAML file, with aliases and merges resolved.
type node struct {
	at      position
	kind    nodeKind
	text    string  // of a scalar, as it is written; true, 5 and 022 too
	shell   bool    // of a scalar that is to be written: it is for the shell, see variables.go
	number  bool    // of a scalar that is to be written: a number or a truth value, not text
	items   []*node // of a list
	entries []entry // of a mapping, in order, each key once
}

type nodeKind uint8

const (
	null nodeKind = iota
	scalar
	sequence
	mapping
)

// String is the word for it in messages.
func (k nodeKind) String() string {
	return [...]string{"nothing", "a single value", "a list", "a mapping"}[k]
}

// An entry is one key of a mapping with its value.
type entry struct {
	key   string
	at    position // of the key
	value *node
}

// get is the value of a key, nil if it is not there.
func (n *node) get(key string) *node {
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// parseYAML reads text as one document; nil is an empty one.
func parseYAML(r *reader, file *source, text []byte) *node {
	if !utf8.Valid(text) {
		r.wrong(position{file: file}, "", "not UTF-8 text")
		return nil
	}
	tokens, excess, tooMuch := tokenize(strings.TrimPrefix(string(text), "\ufeff"))
	if tooMuch != "" {
		r.wrong(tokenAt(file, excess), "", "%s", tooMuch)
		return nil
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		at, message := position{file: file}, ""
		var syntax interface {
			GetMessage() string
			GetToken() *token.Token
		}
		if errors.As(err, &syntax) { // whose Error draws the lines around it, at the cost of the square of their tokens
			message = syntax.GetMessage()
			at = tokenAt(file, syntax.GetToken())
		} else {
			message = err.Error()
		}
		if strings.Contains(message, "'\t'") {
			message = "a tab cannot stand here (indent with spaces)"
		}
		r.wrong(at, "", "not YAML: %s", message)
		return nil
	}
	t := &tree{reader: r, file: file, anchors: make(map[string]*node)}
	var root *node
	for _, doc := range parsed.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); directive || doc.Body == nil {
			continue
		}
		n := t.node(doc.Body)
		if root != nil {
			r.wrong(n.at, "", "a second document begins here; only one is allowed")
			break
		}
		root = n
	}
	return root
}

func tokenAt(file *source, t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{file: file}
	}
	return position{file, t.Position.Line, t.Position.Column}
}

// A tree turns the parser's nodes into ours.
type tree struct {
	*reader
	file    *source
	anchors map[string]*node
	aliases int
	aliased int // values for which they stand
}

func (t *tree) node(in ast.Node) *node {
	n := &node{at: tokenAt(t.file, in.GetToken())}
	switch in := in.(type) {
	case *ast.NullNode:
	case *ast.MappingNode:
		n.kind = mapping
		t.entries(n, in.Values)
	case *ast.MappingValueNode:
		n.kind = mapping
		t.entries(n, []*ast.MappingValueNode{in})
	case *ast.SequenceNode:
		n.kind = sequence
		for _, value := range in.Values {
			n.items = append(n.items, t.node(value))
		}
	case *ast.AnchorNode:
		value := t.node(in.Value)
		t.anchors[in.Name.GetToken().Value] = value
		return value
	case *ast.AliasNode:
		return t.alias(n, in)
	case *ast.TagNode:
		value := t.node(in.Value)
		if tag := in.GetToken().Value; tag == "!!str" && value.kind == null {
			value.kind = scalar
		} else if tag != "!!str" && tag != "!!int" && tag != "!!bool" && tag != "!!map" && tag != "!!seq" {
			t.wrong(n.at, "", "the tag %s is not supported", tag)
		}
		return value
	case *ast.LiteralNode:
		n.kind, n.text = scalar, in.Value.Value
	case *ast.StringNode:
		n.kind, n.text = scalar, in.Value
	case ast.ScalarNode:
		n.kind, n.text = scalar, in.GetToken().Value
	default:
		t.wrong(n.at, "", "not supported here")
	}
	return n
}

// alias is a copy of what the anchor names, at the place of the alias.
func (t *tree) alias(n *node, in *ast.AliasNode) *node {
	name := in.Value.GetToken().Value
	value, ok := t.anchors[name]
	if !ok {
		t.wrong(n.at, nearest.To(name, slices.Sorted(maps.Keys(t.anchors))), "there is no anchor %q before this", name)
		return n
	}
	if t.aliases++; t.aliases == maxAliases {
		t.wrong(n.at, "", "more than %d aliases", maxAliases)
	}
	if t.aliases >= maxAliases {
		return n
	}
	if t.aliased > maxAliased || !t.take(&t.aliased, value.size(maxAliased), maxAliased, n.at, "aliases stand for more than %d values") {
		return n
	}
	return value
}

// entries puts the entries of a mapping into n. What is merged with << comes after the mapping's own keys and counts for
// less.
func (t *tree) entries(n *node, values []*ast.MappingValueNode) {
	if len(values) > 0 {
		n.at = tokenAt(t.file, values[0].Key.GetToken())
	}
	seen := make(map[string]int, len(values))
	var merged []*node
	for _, value := range values {
		at := tokenAt(t.file, value.Key.GetToken())
		if value.Key.IsMergeKey() {
			merged = append(merged, t.merged(value.Value)...)
			continue
		}
		key := t.key(value.Key)
		if key == nil {
			t.wrong(at, "", "a key must be a single value")
			continue
		}
		if first, ok := seen[key.text]; ok {
			t.wrong(at, "", "duplicate key %q, first in line %d", key.text, first)
			continue
		}
		seen[key.text] = at.line
		n.entries = append(n.entries, entry{key.text, at, t.node(value.Value)})
	}
	for _, from := range merged {
		for _, e := range from.entries {
			if _, ok := seen[e.key]; !ok {
				seen[e.key] = e.at.line
				n.entries = append(n.entries, e)
			}
		}
	}
}

// key is a key as a scalar, nil if it is none.
func (t *tree) key(in ast.Node) *node {
	if key, ok := in.(*ast.MappingKeyNode); ok {
		in = key.Value
	}
	switch in.(type) {
	case nil, *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		return nil
	case *ast.NullNode:
		return &node{kind: scalar, text: in.GetToken().Value}
	}
	if n := t.node(in); n.kind == scalar {
		return n
	}
	return nil
}

// merged is the mappings that << names.
func (t *tree) merged(in ast.Node) []*node {
	n := t.node(in)
	from := []*node{n}
	if n.kind == sequence {
		from = n.items
	}
	for _, m := range from {
		if m.kind != mapping {
			t.wrong(n.at, "", "<< merges mappings, not %s", m.kind)
			return nil
		}
	}
	return from
}
