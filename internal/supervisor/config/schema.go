package config

import (
	"encoding/json"
	"slices"
)

// Schema is the JSON Schema (draft 2020-12) of a file, for editors. It is made of the same table by which files are read.
func Schema() []byte {
	root := objectSchema(documentKeys())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = DefaultName
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // it is made of strings and numbers
	}
	return append(text, '\n')
}

// objectSchema is that of a mapping with these keys and no others.
func objectSchema(o *object) schema {
	properties := make(schema, len(o.keys))
	var required []string
	for _, k := range o.keys {
		s := k.schema()
		s["description"] = k.doc
		properties[k.name] = s
		if k.required {
			required = append(required, k.name)
		}
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		slices.Sort(required)
		s["required"] = required
	}
	if o.extra != "" {
		s["patternProperties"] = schema{"^" + o.extra: schema{}}
	}
	return s
}

// pattern is text of a form, or with a variable in it.
func pattern(expression string) schema {
	if expression == "" {
		return schema{"type": "string", "pattern": `\$`}
	}
	return schema{"type": "string", "pattern": expression + `|\$`}
}

// or is one of several.
func or(schemas ...schema) schema {
	any := make([]any, len(schemas))
	for i, s := range schemas {
		any[i] = s
	}
	return schema{"anyOf": any}
}
