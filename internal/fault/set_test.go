package fault_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort/internal/fault"
)

// request returns a request to createGroup with a body.
func request(body string) fault.Request {
	r := httptest.NewRequest("POST", "/stores/abc/v2/customer_groups?page=2", nil)
	r.Header.Set("X-Correlation-Id", "42")
	return fault.Request{Operation: "createGroup", Method: "POST", Path: "/v2/customer_groups", HTTP: r, Body: []byte(body)}
}

func put(t *testing.T, s *fault.Set, storeKey string, rules ...fault.Rule) []fault.State {
	t.Helper()
	states, err := s.Put(storeKey, rules)
	if err != nil {
		t.Fatal(err)
	}
	return states
}

func TestMatch(t *testing.T) {
	query := func(name, value string) fault.Rule {
		return fault.Rule{Match: fault.Match{Query: map[string]string{name: value}}}
	}
	header := func(name, value string) fault.Rule {
		return fault.Rule{Match: fault.Match{Header: map[string]string{name: value}}}
	}
	body := func(text string) fault.Rule { return fault.Rule{Match: fault.Match{Body: json.RawMessage(text)}} }
	const sent = `{"name":"Gold","n":1.50,"big":9007199254740993,"rules":[{"type":"all","amount":"5"},null],"on":true}`
	for _, test := range []struct {
		rule fault.Rule
		want bool
	}{
		{fault.Rule{}, true},
		{fault.Rule{Operation: "createGroup"}, true},
		{fault.Rule{Operation: "updateGroup"}, false},
		{fault.Rule{Method: "POST"}, true},
		{fault.Rule{Method: "PUT"}, false},
		{fault.Rule{Path: "/v2/customer_groups"}, true},
		{fault.Rule{Path: "/v2/customer_group"}, false},
		{fault.Rule{Path: "/v2/*"}, true},
		{fault.Rule{Path: "*groups"}, true},
		{fault.Rule{Path: "/v2/*_*s"}, true},
		{fault.Rule{Path: "/v2/*groups*groups"}, false},
		{fault.Rule{Path: "/v3/*"}, false},
		{query("page", "2"), true},
		{query("page", "3"), false},
		{query("limit", "2"), false},
		{header("x-correlation-id", "42"), true},
		{header("x-correlation-id", "4"), false},
		{body(`{}`), true},
		{body(`{"name":"Gold"}`), true},
		{body(`{"name":"gold"}`), false},
		{body(`{"missing":null}`), false},
		{body(`{"n":1.5}`), true},
		{body(`{"big":9007199254740993}`), true},
		{body(`{"n":"1.50"}`), false},
		{body(`{"rules":[{"type":"all"},null]}`), true},
		{body(`{"rules":[{"type":"all"}]}`), false},
		{body(`{"rules":{}}`), false},
		{body(`{"on":{}}`), false},
		{body(`{"on":true,"name":"Silver"}`), false},
		{body(`[]`), false},
		{fault.Rule{BeforeAuth: true}, false},
	} {
		var s fault.Set
		put(t, &s, "abc", test.rule)
		if _, got := s.Take("abc", request(sent)); got != test.want {
			text, _ := json.Marshal(test.rule)
			t.Errorf("%s: %v, want %v", text, got, test.want)
		}
	}
	var s fault.Set
	put(t, &s, "abc", body(`{}`), body(`null`))
	for _, text := range []string{"", "no JSON", "[]", "7"} {
		if _, got := s.Take("abc", request(text)); got {
			t.Errorf("the body %q includes an object or null", text)
		}
	}
}

// taken returns which of n requests a rule takes, such as "..x".
func taken(t *testing.T, n int, r fault.Rule) string {
	t.Helper()
	var s fault.Set
	put(t, &s, "abc", r)
	var b strings.Builder
	for range n {
		if _, ok := s.Take("abc", request("")); ok {
			b.WriteByte('x')
		} else {
			b.WriteByte('.')
		}
	}
	if hits := s.List("abc")[0].Hits; hits != strings.Count(b.String(), "x") {
		t.Errorf("%d hits, want those of %s", hits, b.String())
	}
	return b.String()
}

func TestCounts(t *testing.T) {
	for _, test := range []struct {
		rule fault.Rule
		want string
	}{
		{fault.Rule{}, "xxxxxxxx"},
		{fault.Rule{Skip: 2}, "..xxxxxx"},
		{fault.Rule{Times: 2}, "xx......"},
		{fault.Rule{Every: 1}, "xxxxxxxx"},
		{fault.Rule{Every: 3}, "..x..x.."},
		{fault.Rule{Skip: 1, Every: 2, Times: 2}, "..x.x..."},
	} {
		if got := taken(t, 8, test.rule); got != test.want {
			t.Errorf("skip %d, every %d, times %d: %s, want %s", test.rule.Skip, test.rule.Every, test.rule.Times, got, test.want)
		}
	}
}

func TestProbability(t *testing.T) {
	rule := func(p float64, seed uint64) fault.Rule { return fault.Rule{Probability: &p, Seed: &seed} }
	first := taken(t, 400, rule(0.25, 7))
	if again := taken(t, 400, rule(0.25, 7)); again != first {
		t.Error("the same seed takes other requests")
	}
	if other := taken(t, 400, rule(0.25, 8)); other == first {
		t.Error("another seed takes the same requests")
	}
	if n := strings.Count(first, "x"); n < 60 || n > 140 {
		t.Errorf("%d of 400 with a probability of 0.25", n)
	}
	if taken(t, 50, rule(0, 7)) != strings.Repeat(".", 50) || taken(t, 50, rule(1, 7)) != strings.Repeat("x", 50) {
		t.Error("a probability of 0 takes some requests, or one of 1 leaves some out")
	}
}

func TestJitter(t *testing.T) {
	var s fault.Set
	put(t, &s, "abc", fault.Rule{Delay: time.Second, Jitter: time.Second})
	seen := map[time.Duration]bool{}
	for range 50 {
		hit, _ := s.Take("abc", request(""))
		if hit.Delay < time.Second || hit.Delay > 2*time.Second {
			t.Errorf("a delay of %s", hit.Delay)
		}
		seen[hit.Delay] = true
	}
	if len(seen) < 40 {
		t.Errorf("%d delays of 50 differ", len(seen))
	}
}

// The first rule that applies takes a request. A rule that leaves it out lets the next one
// have it.
func TestOrder(t *testing.T) {
	var s fault.Set
	states := put(t, &s, "abc", fault.Rule{Operation: "deleteGroup"}, fault.Rule{Every: 2}, fault.Rule{})
	for i, want := range []int{2, 1, 2, 1} {
		if hit, ok := s.Take("abc", request("")); !ok || hit.Rule != states[want].ID {
			t.Errorf("request %d has rule %d, want %d", i, hit.Rule, states[want].ID)
		}
	}
}

// Rules are those of one store. A later store of the same hash has other rules.
func TestStores(t *testing.T) {
	var s fault.Set
	if s.InUse() || s.Has("abc") {
		t.Error("an empty set has rules")
	}
	put(t, &s, "abc", fault.Rule{}, fault.Rule{BeforeAuth: true})
	if _, ok := s.Take("other", request("")); ok || len(s.List("other")) > 0 {
		t.Error("another store has the rule")
	}
	later := "abc~2"
	if _, ok := s.Take(later, request("")); ok || len(s.List(later)) > 0 {
		t.Error("a later store has the rules of the deleted one")
	}
	if _, ok := s.TakeBeforeAuth("abc", request("")); !ok {
		t.Error("no rule before the token is checked")
	}
	s.Clear(later)
	if len(s.List("abc")) != 2 {
		t.Error("rules were removed as those of another store")
	}
	s.Clear("abc")
	if s.InUse() || len(s.List("abc")) > 0 {
		t.Error("rules remain")
	}
	var none *fault.Set
	if _, ok := none.Take("abc", request("")); ok || none.InUse() {
		t.Error("a nil set has a rule")
	}
}

func TestBounds(t *testing.T) {
	var s fault.Set
	full := make([]fault.Rule, fault.MaxRules)
	if _, err := s.Put("abc", append(full, fault.Rule{})); !errors.Is(err, fault.ErrTooMany) || s.InUse() {
		t.Errorf("error %v", err)
	}
	put(t, &s, "abc", full...)
	if _, err := s.Add("abc", fault.Rule{}); !errors.Is(err, fault.ErrTooMany) || len(s.List("abc")) != fault.MaxRules {
		t.Errorf("error %v", err)
	}
	var keys []string
	var err error
	for i := 0; err == nil; i++ {
		key := strings.Repeat("x", i+1)
		if _, err = s.Put(key, full); err == nil {
			keys = append(keys, key)
		}
	}
	if !errors.Is(err, fault.ErrFull) || len(keys) != 99 {
		t.Errorf("%d further stores have rules, error %v", len(keys), err)
	}
	if _, err := s.Add("more", fault.Rule{}); !errors.Is(err, fault.ErrFull) {
		t.Errorf("error %v", err)
	}
	put(t, &s, "abc", full[1:]...) // fewer instead of those it had
	s.Retain(keys[:1])
	if len(s.List("abc")) != 0 || len(s.List(keys[0])) != fault.MaxRules {
		t.Error("the wrong rules were removed")
	}
	if _, err := s.Add("more", fault.Rule{}); err != nil {
		t.Error(err)
	}
}

// A request without rules costs one atomic read.
func BenchmarkTakeNone(b *testing.B) {
	var s fault.Set
	r := request("")
	for b.Loop() {
		s.Take("abc", r)
	}
}
