package config

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/rogpeppe/go-internal/txtar"
)

// resolved is the schema, ready to validate.
func resolved(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// validate is what the schema has against a YAML file.
func validate(t *testing.T, s *jsonschema.Resolved, text []byte) error {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var value any
	if err := json.Unmarshal(asJSON, &value); err != nil {
		t.Fatal(err)
	}
	return s.Validate(value)
}

// What Load understands, the schema accepts, and so it does with what is printed.
func TestSchemaAccepts(t *testing.T) {
	s := resolved(t)
	files, err := filepath.Glob("testdata/right/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, name := range files {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if !strings.HasSuffix(f.Name, ".yaml") {
				continue
			}
			text := strings.ReplaceAll(string(f.Data), "$DIR", "/dir")
			text = strings.TrimPrefix(text, "%YAML 1.2\n") // what makes JSON of it sees a document in the directive
			if err := validate(t, s, []byte(text)); err != nil {
				t.Errorf("%s: %s: %v", name, f.Name, err)
			}
		}
	}
}

// An editor sees mistakes that are none of other files.
func TestSchemaRejects(t *testing.T) {
	s := resolved(t)
	if err := validate(t, s, []byte("processes: {a: {command: a}}")); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"grce: 5s",
		"grace: 5",
		"grace: [5s]",
		"exit: last",
		"log: {format: xml}",
		"log: {file: x}",
		"processes: [a]",
		"processes: {lastcall: {command: a}}",
		"processes: {a: {}}",
		"processes: {a: {comand: a}}",
		"processes: {a: {command: {x: y}}}",
		"processes: {a: {command: a, instances: -1}}",
		"processes: {a: {command: a, instances: two}}",
		"processes: {a: {command: a, ready: {htpp: x}}}",
		"processes: {a: {command: a, ready: soon}}",
		"processes: {a: {command: a, stop: {signal: INT, after: 5s}}}",
		"processes: {a: {command: a, stop: [{within: 5s}]}}",
		"processes: {a: {command: a, restart: sometimes}}",
		"processes: {a: {command: a, restart: {delay: 1s}}}",
		"processes: {a: {command: a, restart: {when: always, retries: 5}}}",
		"processes: {a: {command: a, umask: '888'}}",
		"processes: {a: {command: a, priority: 20}}",
		"processes: {a: {command: a, oneshot: 1}}",
		"processes: {a: {command: a, limits: {memory: big}}}",
		"processes: {a: {command: a, hooks: {before: x}}}",
	} {
		if validate(t, s, []byte(text)) == nil {
			t.Errorf("the schema accepts %s", text)
		}
	}
}

// Every key that there is stands in a golden file, so that nothing said of keys here is said of some only.
func TestEveryKeyIsTested(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/right/every-key.txtar")
	if err != nil {
		t.Fatal(err)
	}
	text := string(txtar.Format(archive))
	var look func(keys []*key)
	look = func(keys []*key) {
		for _, k := range keys {
			if !strings.Contains(text, k.name+":") {
				t.Errorf("%s is not in every-key.txtar", k.name)
			}
			look(k.keys)
		}
	}
	look(documentKeys().keys)
}
