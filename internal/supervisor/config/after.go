package config

// A dependency is a process that another comes after.
type dependency struct {
	reference
	ended bool // it waits for the end, and not for readiness
}

// What a process waits for.
const (
	whenReady = "ready"
	whenEnded = "ended"
)

// dependencies are names, or a mapping of names to what is awaited.
func dependencies() *kind[[]dependency] {
	names := oneOrMore("names", references("a name"))
	when := choice(whenReady, whenEnded)
	ready := &kind[[]dependency]{
		form: names.form,
		read: func(r *reader, n *node, v *[]dependency) {
			var refs []reference
			names.read(r, n, &refs)
			for _, ref := range refs {
				*v = append(*v, dependency{reference: ref})
			}
		},
		write: func(v []dependency) *node {
			refs := make([]reference, len(v))
			for i, d := range v {
				if refs[i] = d.reference; d.ended {
					return nil
				}
			}
			return names.write(refs)
		},
	}
	mixed := &kind[[]dependency]{
		form: form{shape: mapping, words: "a mapping of names to ready or ended", schema: func() schema {
			return schema{"type": "object", "additionalProperties": when.schema()}
		}},
		read: func(r *reader, n *node, v *[]dependency) {
			path := r.path
			for _, e := range n.entries {
				state := ""
				r.path = append(path[:len(path):len(path)], e.key)
				when.read(r, e.value, &state)
				*v = append(*v, dependency{reference{e.key, e.at}, state == whenEnded})
			}
			r.path = path
		},
		write: func(v []dependency) *node {
			n := &node{kind: mapping}
			for _, d := range v {
				state := whenReady
				if d.ended {
					state = whenEnded
				}
				n.entries = append(n.entries, entry{key: d.name, value: textNode(state)})
			}
			return n
		},
	}
	return &kind[[]dependency]{
		form: form{words: names.words + ", or " + mixed.words, schema: func() schema { return or(names.schema(), mixed.schema()) }},
		read: func(r *reader, n *node, v *[]dependency) {
			if n.kind == mapping {
				mixed.read(r, n, v)
				return
			}
			ready.read(r, n, v)
		},
		write: func(v []dependency) *node {
			if n := ready.write(v); n != nil {
				return n
			}
			return mixed.write(v)
		},
	}
}
