package nearest

import "testing"

func TestTo(t *testing.T) {
	candidates := []string{"web", "web-1", "web-2", "database", "läufer", "x"}
	for word, want := range map[string]string{
		"wbe": "web", "Web": "web", "WEB-1": "web-1", "web-3": "web-1", "databse": "database", "dtabsae": "database", "laufer": "läufer",
		"queue": "", "": "", "y": "", "we": "web", "elephant": "",
	} {
		if got := To(word, candidates); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "", 2}, {"ab", "ba", 1}, {"abc", "cab", 2}, {"kitten", "sitting", 3}, {"ö", "o", 1}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
