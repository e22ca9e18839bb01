package demo

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, held, err := openJournal(path)
	if err != nil || len(held.orders) != 0 {
		t.Fatalf("a new journal holds %v, error %v", held, err)
	}
	for _, key := range []string{"a", "b", "c"} {
		if _, err := j.add(key); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.done(order{2, "b"}); err != nil {
		t.Fatal(err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := j.add("d"); err == nil {
		t.Error("a closed journal took an order")
	}
	want := []order{{1, "a"}, {3, "c"}}
	if held, err = readJournal(path); err != nil || !slices.Equal(held.pending(), want) {
		t.Fatalf("pending are %v, error %v, want %v", held.pending(), err, want)
	}

	// A crash leaves half a line, which nobody was told is taken.
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"op":"order","id":4,"ke`); err != nil {
		t.Fatal(err)
	}
	file.Close()
	if j, held, err = openJournal(path); err != nil || !slices.Equal(held.pending(), want) {
		t.Fatalf("after a crash pending are %v, error %v, want %v", held.pending(), err, want)
	}
	if o, err := j.add("e"); err != nil || o.ID != 4 {
		t.Errorf("the next order is %v, error %v, want number 4", o, err)
	}
	j.close()
	held, err = readJournal(path)
	if err != nil || !slices.Equal(slices.Sorted(maps.Keys(held.orders)), []uint64{1, 2, 3, 4}) {
		t.Errorf("the journal holds %v, error %v", held, err)
	}
}

func TestJournalSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"{\"op\":\"order\",\"id\":1}\nno\n": "line 2 is not of a journal",
		"{\"op\":\"eat\"}\n":                "unknown op \"eat\"",
	} {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := openJournal(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: the error is %v, want %q and the path", text, err, want)
		}
	}
	if _, err := readJournal(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there was read")
	}
}
