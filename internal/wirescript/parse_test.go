package wirescript_test

import (
	"strings"
	"testing"

	"cohort.example/cohort/internal/wirescript"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParse(t *testing.T) {
	s := mustParse(t, `
# A comment that belongs to nothing.

# What the case shows,
# in two lines.
POST /v2/things?a=b
header X-First: one: two
header X-Empty:
token {other}
send {"a":1,
  "b":2}
code == 200
header Allow missing
body contains a
let id = id
GET /v2/things

# The last.
DELETE /v2/things/{id}
token none
`)
	want := []wirescript.Case{
		{
			Line: 6, Comment: "What the case shows,\nin two lines.", Method: "POST", Path: "/v2/things?a=b",
			Header: []wirescript.Field{{Name: "X-First", Value: "one: two"}, {Name: "X-Empty"}},
			Token:  "{other}", Body: "{\"a\":1,\n  \"b\":2}",
		},
		{Line: 16, Method: "GET", Path: "/v2/things"},
		{Line: 19, Comment: "The last.", Method: "DELETE", Path: "/v2/things/{id}", Token: "none"},
	}
	if s.Name != "test.txt" {
		t.Errorf("the name is %s", s.Name)
	}
	if diff := cmp.Diff(want, s.Cases, cmpopts.IgnoreUnexported(wirescript.Case{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestParseErrors: a line that cannot be parsed is an error that names the line.
func TestParseErrors(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"a check before any request":   {"\ncode == 200", `test.txt:2: no request line comes before "code == 200"`},
		"an unknown method":            {"FETCH /x", `test.txt:1: no request line comes before "FETCH /x"`},
		"a path with a space":          {"GET /x\nGET /x y", `test.txt:2: cannot parse "GET /x y"`},
		"an unknown verb":              {"GET /x\nbdy == x", `test.txt:2: cannot parse "bdy == x"`},
		"a code that is not a number":  {"GET /x\ncode == ok", `test.txt:2: a code check reads "code == 200", not "code == ok"`},
		"a code with another operator": {"GET /x\ncode ~ 2..", `test.txt:2: a code check reads "code == 200", not "code ~ 2.."`},
		"a code without anything":      {"GET /x\ncode", `test.txt:2: a code check reads "code == 200", not "code"`},
		"an unknown body operator":     {"GET /x\nbody is x", `test.txt:2: cannot parse "body is x"`},
		"a body that is missing":       {"GET /x\nbody missing", `test.txt:2: cannot parse "body missing"`},
		"an unknown header operator":   {"GET /x\nheader Allow is GET", `test.txt:2: cannot parse "header Allow is GET"`},
		"a header without a value":     {"GET /x\nheader Allow", `test.txt:2: cannot parse "header Allow"`},
		"a let without a field":        {"GET /x\nlet id", `test.txt:2: cannot parse "let id"`},
		"a let of an empty field":      {"GET /x\nlet id = a..b", `test.txt:2: cannot parse "let id = a..b"`},
		"a line number after a body":   {"POST /x\nsend {\n }\n\nnonsense", `test.txt:5: cannot parse "nonsense"`},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := wirescript.Parse("test.txt", c.script)
			if err == nil || err.Error() != c.want {
				t.Errorf("%v (%v), want %s", err, s, c.want)
			}
		})
	}
}

// TestParseChecksPatterns: an invalid regular expression is an error of the script that
// names the line, and not a failed check.
func TestParseChecksPatterns(t *testing.T) {
	for _, script := range []string{"GET /x\nbody ~ (", "GET /x\nheader Allow ~ ["} {
		_, err := wirescript.Parse("test.txt", script)
		if err == nil || !strings.HasPrefix(err.Error(), "test.txt:2: ") {
			t.Errorf("%q: %v, want an error on line 2", script, err)
		}
	}
}

func mustParse(t *testing.T, text string) *wirescript.Script {
	t.Helper()
	s, err := wirescript.Parse("test.txt", text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
