package timeline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/timeline"
)

func written(t testing.TB, r lastcall.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := timeline.WriteJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for name, r := range map[string]lastcall.Report{"clean": clean(), "rough": rough(), "running": running(), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			got, err := timeline.ReadJSON(bytes.NewReader(written(t, r)))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, r) {
				t.Errorf("read back\n%+v\nand wrote\n%+v", got, r)
			}
		})
	}
}

// The form is a contract: others read these files too.
func TestJSONGolden(t *testing.T) {
	got := written(t, rough())
	file := filepath.Join("testdata", "rough.json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the report as JSON differs from %s:\n%s", file, got)
	}
}

func TestReadJSONSaysWhatIsWrong(t *testing.T) {
	whole := written(t, rough())
	for name, c := range map[string]struct{ input, want string }{
		"empty":           {"", "the input is empty"},
		"blank":           {" \n\t", "the input is empty"},
		"cut short":       {string(whole[:len(whole)/2]), "cut short: it ends after"},
		"one byte":        {"{", "cut short"},
		"not JSON":        {"{\n\n<svg>", "not JSON at line 3"},
		"two reports":     {string(whole) + string(whole), "not JSON at line"},
		"a list":          {"[1]", "a JSON array and not an object"},
		"other JSON":      {`{"name": "x"}`, `it does not say "schema": "lastcall.report"`},
		"other schema":    {`{"schema": "lastcall.verdict", "version": 1}`, `it does not say "schema": "lastcall.report"`},
		"newer":           {`{"schema": "lastcall.report", "version": 2, "report": "all new"}`, "of version 2 and this program reads version 1"},
		"no version":      {`{"schema": "lastcall.report", "report": {}}`, "of version 0, which does not exist"},
		"odd version":     {`{"schema": "lastcall.report", "version": "1", "report": {}}`, `"version" is a JSON string`},
		"no report":       {`{"schema": "lastcall.report", "version": 1}`, `no "report" in it`},
		"null":            {`{"schema": "lastcall.report", "version": 1, "report": null}`, `no "report" in it`},
		"odd report":      {`{"schema": "lastcall.report", "version": 1, "report": {"workers": 7}}`, `"report.workers" is a JSON number`},
		"unknown state":   {`{"schema": "lastcall.report", "version": 1, "report": {"state": "asleep"}}`, `unknown state "asleep"`},
		"a time is wrong": {`{"schema": "lastcall.report", "version": 1, "report": {"started": "yesterday"}}`, "yesterday"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := timeline.ReadJSON(strings.NewReader(c.input))
			if err == nil {
				t.Fatal("there is no error")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "timeline: ") {
				t.Errorf("got %q, want one line of timeline with %q", err, c.want)
			}
		})
	}
}

func TestReadJSONPassesOverWhatItDoesNotKnow(t *testing.T) {
	r, err := timeline.ReadJSON(strings.NewReader(`{"schema": "lastcall.report", "version": 1, "host": "a", "report": {"state": "ready", "mood": "good"}}`))
	if err != nil || r.State != lastcall.StateReady {
		t.Errorf("got state %v and error %v, want ready and none", r.State, err)
	}
}

func TestJSONReturnsTheFilesError(t *testing.T) {
	full := errors.New("disk full")
	if err := timeline.WriteJSON(failing{full}, clean()); !errors.Is(err, full) {
		t.Errorf("got %v, want the writer's error", err)
	}
	if _, err := timeline.ReadJSON(iotest.ErrReader(full)); !errors.Is(err, full) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

// Whatever is read can be drawn and written again.
func FuzzReadJSON(f *testing.F) {
	for _, r := range []lastcall.Report{clean(), rough(), running(), hostile(), {}} {
		data := written(f, r)
		f.Add(data)
		f.Add(data[:len(data)*2/3])
	}
	f.Add([]byte(`{"schema":"lastcall.report","version":1,"report":{"workers":[{"name":"/"},{"name":"//","after":["/","//"],"group":true}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := timeline.ReadJSON(bytes.NewReader(data))
		if err != nil {
			return
		}
		if err := timeline.SVG(io.Discard, r); err != nil {
			t.Fatal(err)
		}
		again, err := timeline.ReadJSON(bytes.NewReader(written(t, r)))
		if err != nil {
			t.Fatal(err)
		}
		if a, b := written(t, r), written(t, again); !bytes.Equal(a, b) || !json.Valid(a) {
			t.Errorf("read, written, read and written again is not the same:\n%s\n%s", a, b)
		}
	})
}
