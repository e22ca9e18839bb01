package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/lastcall-go/lastcall/internal/nearest"
)

// A kind is a sort of value of type V: how it is written, in words for people and as a schema for editors, how it is read,
// and how it is printed. What is printed is read back as the same value.
//
// Kinds and keys are made when a file is read, and not when the program starts: most commands need none.
type kind[V any] struct {
	form
	read  func(r *reader, n *node, v *V)
	write func(v V) *node // nil: it cannot be written so
}

// A form is how a value is written.
type form struct {
	shape  nodeKind      // null: any
	words  string        // "a duration such as 10s": what it must be
	schema func() schema //
	keys   []*key        // of a mapping
}

// A schema is a JSON Schema.
type schema = map[string]any

// A key is a key of a mapping that describes a T. What it reads is stored in, and what it writes comes from a *T.
type key struct {
	name, doc string
	others    string // what other programs call it, for those who come from there
	required  bool
	*form
	read  func(r *reader, n *node, into any)
	write func(from any) *node
}

// field is a key whose value is stored in a field of T. It is left out of what is printed if the field is zero.
func field[T, V any](name, others, doc string, k *kind[V], at func(*T) *V) *key {
	return &key{
		name: name, others: others, doc: doc, form: &k.form,
		read: func(r *reader, n *node, into any) { k.read(r, n, at(into.(*T))) },
		write: func(from any) *node {
			v := at(from.(*T))
			if reflect.ValueOf(v).Elem().IsZero() {
				return nil
			}
			return k.write(*v)
		},
	}
}

// located is a key whose place is kept, for what is said of it once all is read.
func located[T any](k *key, place func(*T) *position) *key {
	read := k.read
	k.read = func(r *reader, n *node, into any) {
		*place(into.(*T)) = n.at
		read(r, n, into)
	}
	return k
}

// kept is a field that is printed on a condition, and then also if it is zero.
func kept[T, V any](name, others, doc string, k *kind[V], at func(*T) *V, printed func(*T) bool) *key {
	f := field(name, others, doc, k, at)
	f.write = func(from any) *node {
		if !printed(from.(*T)) {
			return nil
		}
		return k.write(*at(from.(*T)))
	}
	return f
}

// required is a key that must not be left out.
func required(k *key) *key {
	k.required = true
	return k
}

// shorthand is a key that is never printed, since another says the same.
func shorthand(k *key) *key {
	k.write = func(any) *node { return nil }
	return k
}

// An object is a mapping whose keys are known. It describes a T, of which its functions get a pointer.
type object struct {
	keys  []*key
	check func(r *reader, n *node, v any) // looks for keys that contradict each other; may be nil
	extra string                          // keys that begin so are left alone; "": none
}

// checks is a check of an object that describes a T.
func checks[T any](check func(r *reader, n *node, v *T)) func(*reader, *node, any) {
	return func(r *reader, n *node, v any) { check(r, n, v.(*T)) }
}

// read reads the entries of a mapping, each into its field.
func (o *object) read(r *reader, n *node, v any) {
	if !r.is(n, mapping, "a mapping") {
		return
	}
	path := r.path
	var meant []string
	for _, e := range n.entries {
		i := slices.IndexFunc(o.keys, func(k *key) bool { return k.name == e.key })
		if i >= 0 {
			r.path = append(path[:len(path):len(path)], e.key)
			o.keys[i].read(r, e.value, v)
			r.path = path
		} else if o.extra == "" || !strings.HasPrefix(e.key, o.extra) {
			meant = append(meant, r.unknownKey(e, o.keys))
		}
	}
	for _, k := range o.keys {
		if k.required && n.get(k.name) == nil && !slices.Contains(meant, k.name) {
			r.wrongf(n.at, "missing key %q", k.name)
		}
	}
	if o.check != nil && len(meant) == 0 {
		o.check(r, n, v)
	}
}

// write is the mapping as it is printed.
func (o *object) write(v any) *node {
	n := &node{kind: mapping}
	for _, k := range o.keys {
		if value := k.write(v); value != nil {
			n.entries = append(n.entries, entry{key: k.name, value: value})
		}
	}
	return n
}

// unknownKey notes a key that means nothing, with the one that was meant: the name that another program has for it, or one
// that is spelled nearly the same. It returns the latter.
func (r *reader) unknownKey(e entry, keys []*key) (meant string) {
	where := ""
	if len(r.path) > 0 {
		where = " of " + strings.Join(r.path, ".")
	}
	if r.process != "" {
		where += fmt.Sprintf(" of process %q", r.process)
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
		if slices.Contains(strings.Fields(k.others), strings.ToLower(e.key)) {
			meant = k.name
		}
	}
	if meant == "" {
		meant = nearest.To(e.key, names)
	}
	r.wrong(e.at, meant, "unknown key %q%s", e.key, where)
	return meant
}

// group is a mapping with the keys of an object.
func group[T any](o object) *kind[T] {
	return &kind[T]{
		form:  form{shape: mapping, words: "a mapping", keys: o.keys, schema: func() schema { return objectSchema(&o) }},
		read:  func(r *reader, n *node, v *T) { o.read(r, n, v) },
		write: func(v T) *node { return o.write(&v) },
	}
}

// either is a value that is written in several ways, told apart by whether they are a single value, a list or a mapping. It
// is printed in the first way that can hold it.
func either[V any](kinds ...*kind[V]) *kind[V] {
	words := make([]string, len(kinds))
	var keys []*key
	for i, k := range kinds {
		words[i] = k.words
		keys = append(keys, k.keys...)
	}
	all := strings.Join(words, ", or ")
	return &kind[V]{
		form: form{words: all, keys: keys, schema: func() schema {
			any := make([]any, len(kinds))
			for i, k := range kinds {
				any[i] = k.schema()
			}
			return schema{"anyOf": any}
		}},
		read: func(r *reader, n *node, v *V) {
			for _, k := range kinds {
				if k.shape == n.kind {
					k.read(r, n, v)
					return
				}
			}
			r.is(n, null, all)
			if n.kind == null {
				r.wrongf(n.at, "missing value: it must be %s", all)
			}
		},
		write: func(v V) *node {
			for _, k := range kinds {
				if n := k.write(v); n != nil {
					return n
				}
			}
			return nil
		},
	}
}

// single is a scalar that parse makes a V of.
func single[V any](words string, s func() schema, parse func(text string) (V, error), format func(v V) *node) *kind[V] {
	return &kind[V]{
		form: form{shape: scalar, words: words, schema: s},
		read: func(r *reader, n *node, v *V) {
			text, ok := r.text(n, words)
			if !ok {
				return
			}
			parsed, err := parse(text)
			if err != nil {
				r.wrongValue(n.at, err)
				return
			}
			*v = parsed
		},
		write: format,
	}
}

// listOf is a list of values of one kind.
func listOf[V any](words string, k *kind[V]) *kind[[]V] {
	return &kind[[]V]{
		form: form{shape: sequence, words: words, schema: func() schema {
			return schema{"type": "array", "items": k.schema()}
		}},
		read: func(r *reader, n *node, v *[]V) {
			if !r.is(n, sequence, words) {
				return
			}
			*v = nil
			for _, item := range n.items {
				var one V
				k.read(r, item, &one)
				*v = append(*v, one)
			}
		},
		write: func(v []V) *node {
			n := &node{kind: sequence}
			for _, item := range v {
				n.items = append(n.items, k.write(item))
			}
			return n
		},
	}
}

// oneOrMore is a single value, or a list of such.
func oneOrMore[V any](words string, k *kind[V]) *kind[[]V] {
	return either(one(k), listOf("a list of "+words, k))
}

// one is a list of one, written without being a list.
func one[V any](k *kind[V]) *kind[[]V] {
	return &kind[[]V]{
		form: k.form,
		read: func(r *reader, n *node, v *[]V) {
			*v = make([]V, 1)
			k.read(r, n, &(*v)[0])
		},
		write: func(v []V) *node {
			if len(v) != 1 {
				return nil
			}
			return k.write(v[0])
		},
	}
}

// pointerTo is a value that may be zero and yet be given.
func pointerTo[V any](k *kind[V]) *kind[*V] {
	return &kind[*V]{
		form: k.form,
		read: func(r *reader, n *node, v **V) {
			*v = new(V)
			k.read(r, n, *v)
		},
		write: func(v *V) *node { return k.write(*v) },
	}
}

// texts of values.

func textNode(text string) *node  { return &node{kind: scalar, text: text} }
func plainNode(text string) *node { return &node{kind: scalar, text: text, number: true} }

// scalarTypes are the types of JSON that stand for text.
var scalarTypes = []string{"string", "number", "boolean"}

// anyText is any text that is not empty.
func anyText(what string) *kind[string] {
	return single(what, func() schema { return schema{"type": scalarTypes} }, notEmpty, textNode)
}

func notEmpty(text string) (string, error) {
	if text == "" {
		return "", fmt.Errorf("must not be empty")
	}
	return text, nil
}

// truth is true or false.
func truth() *kind[bool] {
	return single("true or false", func() schema { return or(schema{"type": "boolean"}, pattern(`^(true|false)$`)) },
		func(text string) (bool, error) {
			switch text {
			case "true", "True", "TRUE":
				return true, nil
			case "false", "False", "FALSE":
				return false, nil
			}
			return false, fmt.Errorf("%q is neither true nor false", text)
		},
		func(v bool) *node { return plainNode(strconv.FormatBool(v)) })
}

// number is an integer within bounds.
func number(least, most int) *kind[int] {
	return single(fmt.Sprintf("a number from %d to %d", least, most),
		func() schema {
			return or(schema{"type": "integer", "minimum": least, "maximum": most}, pattern(`^-?[0-9]+$`))
		},
		func(text string) (int, error) {
			v, err := strconv.Atoi(text)
			if err != nil || v < least || v > most {
				return 0, fmt.Errorf("%q is not a number from %d to %d", text, least, most)
			}
			return v, nil
		},
		func(v int) *node { return plainNode(strconv.Itoa(v)) })
}

// choice is one of a few words.
func choice[V ~string](values ...V) *kind[V] {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return single(list(names, "or"), func() schema { return or(schema{"enum": names}, pattern("")) },
		func(text string) (V, error) {
			if i := slices.Index(names, text); i >= 0 {
				return values[i], nil
			}
			return "", &hint{fmt.Sprintf("%q is not %s", text, list(names, "or")), nearest.To(text, names)}
		},
		func(v V) *node { return textNode(string(v)) })
}
