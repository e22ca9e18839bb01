package check

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

// What is written is read back as it was.
func TestJSONRoundTrip(t *testing.T) {
	for name, want := range samples() {
		if name == "hostile" { // has bytes that JSON cannot hold
			continue
		}
		got, err := ReadJSON(strings.NewReader(written(t, "json", want)))
		if err != nil {
			t.Fatal(err)
		}
		if want.Results == nil {
			want.Results = []Result{}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s was read as\n%+v\nwant\n%+v", name, got, want)
		}
	}
}

func TestReadJSONErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "^check: not a report: the input is empty$",
		"{\nnot JSON\n}":                "^check: not a report: not JSON at line 2: .+$",
		`{"schema": "lastcall.check"`:   "^check: the report is cut short: it ends after 27 bytes in the middle of its JSON$",
		`[1]`:                           "^check: not a report: a JSON array and not an object$",
		`{"schema": "lastcall.report"}`: `^check: not a report: it does not say "schema": "lastcall\.check"$`,
		`{"schema": "lastcall.check", "version": 9, "report": 5}`:                   "^check: the report is of version 9 and this program reads version 1; .+$",
		`{"schema": "lastcall.check", "report": {}}`:                                "^check: the report is of version 0, which does not exist; .+$",
		`{"schema": "lastcall.check", "version": 1}`:                                `^check: the report is missing: .+$`,
		`{"schema": "lastcall.check", "version": 1, "report": {}}`:                  `^check: the report has no "command"$`,
		`{"schema": "lastcall.check", "version": 1, "report": {"command": ["x"]}}`:  `^check: the report has neither "results" nor "error"$`,
		`{"schema": "lastcall.check", "version": 1, "report": {"results": "none"}}`: `^check: not a report: "report\.results" is a JSON string$`,
	} {
		r, err := ReadJSON(strings.NewReader(text))
		if err == nil || r != nil || !regexp.MustCompile(want).MatchString(err.Error()) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// resolved is the schema, ready to validate.
func resolved(t *testing.T) (*jsonschema.Schema, *jsonschema.Resolved) {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &s, r
}

func validate(t *testing.T, text string) error {
	t.Helper()
	_, s := resolved(t)
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return s.Validate(value)
}

// The schema accepts what is written, and not what is something else.
func TestSchema(t *testing.T) {
	for name, r := range samples() {
		if name == "hostile" { // has a verdict that does not exist
			continue
		}
		if err := validate(t, written(t, "json", r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := validate(t, written(t, "json", samples()["hostile"])); err == nil {
		t.Error("a verdict that does not exist is accepted")
	}
	good := written(t, "json", samples()["broken"])
	for _, change := range [][2]string{
		{`"lastcall.check"`, `"lastcall.report"`}, {`"version": 1`, `"version": 2`}, {`"took_ns": 48300000000`, `"took_ns": "48s"`},
		{`"kind": "exit"`, `"kind": "end"`}, {`"seed": 2596996162,`, ``}, {`"value": 10.4`, `"value": null`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("the sample has no %s", change[0])
		}
		if validate(t, bad) == nil {
			t.Errorf("%s in place of %s is accepted", change[1], change[0])
		}
	}
}

// Schema and structs have the same fields, of the same types, and the same are never missing.
func TestSchemaAgreesWithStructs(t *testing.T) {
	s, _ := resolved(t)
	seen := map[string]bool{}
	var agree func(name string, typ reflect.Type)
	kindOf := func(typ reflect.Type) string {
		switch typ.Kind() {
		case reflect.String:
			return "string"
		case reflect.Bool:
			return "boolean"
		case reflect.Slice:
			return "array"
		case reflect.Float64:
			return "number"
		case reflect.Int, reflect.Int64, reflect.Uint64:
			return "integer"
		}
		if typ == reflect.TypeFor[time.Time]() {
			return "string"
		}
		return "object"
	}
	agree = func(name string, typ reflect.Type) {
		def := s.Defs[name]
		if def == nil {
			t.Errorf("the schema has no %s", name)
			return
		}
		seen[name] = true
		var fields, required []string
		for i := range typ.NumField() {
			field := typ.Field(i)
			tag := strings.Split(field.Tag.Get("json"), ",")
			fields = append(fields, tag[0])
			if !slices.Contains(tag, "omitempty") {
				required = append(required, tag[0])
			}
			own := field.Type
			if own.Kind() == reflect.Pointer {
				own = own.Elem()
			}
			p := def.Properties[tag[0]]
			if p == nil {
				continue // is said below
			}
			kind := kindOf(own)
			ref := p.Ref
			if kind == "array" {
				own = own.Elem()
				if p.Type != "array" {
					t.Errorf("%s.%s is %q in the schema, want array", name, tag[0], p.Type)
				}
				p, kind = p.Items, kindOf(own)
				ref = p.Ref
			}
			switch {
			case kind == "object":
				want := "#/$defs/" + strings.ToLower(own.Name())
				if ref != want {
					t.Errorf("%s.%s refers to %q, want %q", name, tag[0], ref, want)
				}
				agree(strings.ToLower(own.Name()), own)
			case p.Enum != nil:
			case p.Type != kind:
				t.Errorf("%s.%s is %q in the schema, want %q", name, tag[0], p.Type, kind)
			}
		}
		var properties []string
		for property := range def.Properties {
			properties = append(properties, property)
		}
		for _, list := range [][2][]string{{properties, fields}, {slices.Clone(def.Required), required}} {
			slices.Sort(list[0])
			slices.Sort(list[1])
			if !slices.Equal(list[0], list[1]) {
				t.Errorf("%s: the schema has %v, the struct %v", name, list[0], list[1])
			}
		}
	}
	agree("report", reflect.TypeFor[Report]())
	for name := range s.Defs {
		if !seen[name] {
			t.Errorf("the schema has %s, and no struct does", name)
		}
	}
	for _, enum := range []struct {
		list []any
		want []string
	}{
		{s.Defs["result"].Properties["verdict"].Enum, []string{string(Pass), string(Warn), string(Fail), string(Skip)}},
		{s.Defs["moment"].Properties["kind"].Enum, []string{string(KindStart), string(KindReady), string(KindSignal), string(KindAccept),
			string(KindResponse), string(KindLost), string(KindThread), string(KindChild), string(KindExit), string(KindLeft), string(KindKill)}},
	} {
		var got []string
		for _, v := range enum.list {
			got = append(got, v.(string))
		}
		if !slices.Equal(got, enum.want) {
			t.Errorf("the schema lists %v, want %v", got, enum.want)
		}
	}
	if len(labels) != len(s.Defs["moment"].Properties["kind"].Enum) {
		t.Errorf("%d kinds have labels, want each", len(labels))
	}
}
