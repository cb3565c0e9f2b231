package upstream_test

import (
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort/internal/upstream"

	"github.com/google/go-cmp/cmp"
)

func lookup(name string) (string, bool) {
	value, ok := map[string]string{"ONE": "first ", "TWO": "second", "EMPTY": " "}[name]
	return value, ok
}

func TestReadStores(t *testing.T) {
	stores, err := upstream.ReadStores(strings.NewReader("# here there variable\n\ndemo abc123 ONE\n  other\tabc123 TWO\r\n"), lookup)
	want := map[string]upstream.Store{"demo": {Hash: "abc123", Token: "first"}, "other": {Hash: "abc123", Token: "second"}}
	if diff := cmp.Diff(want, stores); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestReadStoresErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                `there is no store in it; a line is such as "demo abc123 BC_TOKEN"`,
		"# x\n":                           `there is no store in it; a line is such as "demo abc123 BC_TOKEN"`,
		"\ndemo abc123":                   "line 2: a line has the hash of a store here, the hash of a store there, and the name of the variable with its token",
		"demo abc/123 ONE":                `line 1: "abc/123" is not the hash of a store`,
		"Demo! abc ONE":                   `line 1: "Demo!" is not the hash of a store`,
		"demo abc ONE\ndemo abc TWO":      "line 2: the store demo has a second line",
		"demo abc THREE":                  "line 1: the variable THREE is not set; it must have the token of the store abc",
		"demo abc EMPTY":                  "line 1: the variable EMPTY is not set; it must have the token of the store abc",
		"# " + strings.Repeat("x", 1<<20): "line 1: bufio.Scanner: token too long",
	} {
		if stores, err := upstream.ReadStores(strings.NewReader(text), lookup); fmt.Sprint(err) != want {
			t.Errorf("%.40q: %v, %v", text, stores, err)
		}
	}
	var many strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&many, "s%d abc ONE\n", i)
	}
	if _, err := upstream.ReadStores(strings.NewReader(many.String()), lookup); fmt.Sprint(err) != "line 1001: there are more than 1000 stores" {
		t.Errorf("%v", err)
	}
}

func FuzzReadStores(f *testing.F) {
	f.Add("demo abc123 ONE\n# x\n")
	f.Fuzz(func(t *testing.T, text string) {
		stores, err := upstream.ReadStores(strings.NewReader(text), lookup)
		if (err == nil) != (len(stores) > 0) {
			t.Errorf("%v, %v", stores, err)
		}
	})
}
