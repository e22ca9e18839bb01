package control

import (
	"slices"
	"testing"

	"github.com/lastcall-go/lastcall"
)

func TestMatch(t *testing.T) {
	known := []string{"web", "web-1", "web-2", "worker", "db"}
	for _, test := range []struct{ names, want []string }{
		{[]string{"web"}, []string{"web"}},
		{[]string{"w*"}, []string{"web", "web-1", "web-2", "worker"}},
		{[]string{"web-?", "db", "web-1"}, []string{"web-1", "web-2", "db", "web-1"}},
		{[]string{"web-[2-3]", "*-2"}, []string{"web-2"}},
		{[]string{"other"}, []string{"other"}},
		{nil, nil},
	} {
		if got, err := Match(test.names, known, "ps"); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q: %q %v, want %q", test.names, got, err, test.want)
		}
	}
	for _, name := range []string{"x*", "["} {
		if got, err := Match([]string{name}, known, "ps"); err == nil {
			t.Errorf("%q: %q, want an error", name, got)
		}
	}
	list := []Instance{{Name: "web-1", Process: "web", State: lastcall.StateStopping}, {Name: "db", Process: "db", State: lastcall.StateStopping}}
	if got := Awaited(list, []string{"w*"}); len(got) != 1 || got[0].Name != "web-1" {
		t.Errorf("awaited are %v", got)
	}
}
