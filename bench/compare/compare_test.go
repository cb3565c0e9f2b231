package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/bench/load"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 9, 2}, 3},
	} {
		given := fmt.Sprint(tt.values)
		if got := median(tt.values); got != tt.want {
			t.Errorf("median(%s) = %g, want %g", given, got, tt.want)
		}
		if fmt.Sprint(tt.values) != given {
			t.Errorf("median changed its argument: %v, was %s", tt.values, given)
		}
	}
}

// The ratio is the median of the ratios of the rounds, not the ratio of the
// medians: an event that slows both sides of a round must not change it.
func TestRatioIsTheMedianOfTheRounds(t *testing.T) {
	d := duel{
		a: []sample{{perSecond: 100}, {perSecond: 10}, {perSecond: 300}},
		b: []sample{{perSecond: 25}, {perSecond: 5}, {perSecond: 300}},
	}
	if got := d.ratio(throughput); got != 2 {
		t.Errorf("ratio %g", got)
	}
	if diff := cmp.Diff([]float64{1, 4}, d.spread(throughput)); diff != "" {
		t.Error(diff)
	}
}

func TestCompareTakesTurns(t *testing.T) {
	var turns []string
	one := func(name string) side {
		return side{name: name, round: func(context.Context) (sample, error) {
			turns = append(turns, name)
			return sample{perSecond: 1}, nil
		}}
	}
	b := &bench{settings: settings{rounds: 3}}
	d, err := b.compare(t.Context(), one("a"), one("b"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(turns, " "); got != "a b a b a b" || len(d.a) != 3 || len(d.b) != 3 {
		t.Errorf("%s; %d and %d samples", got, len(d.a), len(d.b))
	}
}

func TestCompareStopsWhenASideFails(t *testing.T) {
	fine := side{name: "fine", round: func(context.Context) (sample, error) { return sample{perSecond: 1}, nil }}
	broken := side{name: "broken", round: func(context.Context) (sample, error) { return sample{}, errors.New("broken") }}
	deaf := side{name: "deaf", round: fine.round, probe: func(context.Context) error { return errors.New("deaf") }}
	b := &bench{settings: settings{rounds: 1}}
	for _, pair := range [][2]side{{fine, broken}, {broken, fine}, {fine, deaf}} {
		if _, err := b.compare(t.Context(), pair[0], pair[1]); err == nil {
			t.Errorf("%s beside %s: no error", pair[0].name, pair[1].name)
		}
	}
}

func TestProbeLooksIntoTheAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = w.Write([]byte(`[{"discount_rules":[]},{"discount_rules":[]}]`))
	}))
	defer server.Close()
	addr := server.Listener.Addr().String()
	b := &bench{}
	probe := func(path string, groups int) error {
		return b.probe(t.Context(), addr, groups, func(buf []byte, _ uint64) []byte {
			return load.Client{Host: addr}.Get(append(buf, "GET "+path...))
		})
	}
	for _, groups := range []int{2, -1} {
		if err := probe("/", groups); err != nil {
			t.Errorf("%d groups: %v", groups, err)
		}
	}
	if err := probe("/", 50); err == nil {
		t.Error("two groups pass for fifty")
	}
	if err := probe("/refused", 2); err == nil {
		t.Error("a refusal passes")
	}
}

func TestGoal(t *testing.T) {
	for _, tt := range []struct {
		goal   *goal
		figure float64
		want   bool
	}{
		{atLeast(8), 7.99, false}, {atLeast(8), 8, true}, {atLeast(8), 9, true},
		{atMost(20), 19, true}, {atMost(20), 20, true}, {atMost(20), 20.1, false},
	} {
		if got := tt.goal.reached(tt.figure); got != tt.want {
			t.Errorf("%+v reached with %g: %t", *tt.goal, tt.figure, got)
		}
	}
}

func TestTable(t *testing.T) {
	lines := []line{
		{row: "a", what: "something", cohort: "20/s", peer: "10/s", figure: 2, spread: []float64{1, 3}, form: "%.1f", goal: atLeast(3)},
		{row: "b", what: "another", figure: 5, form: "%.0f MB"},
		{row: "c", note: "skipped: why"},
	}
	var judged, not bytes.Buffer
	if err := errors.Join(printTable(&judged, lines, true), printTable(&not, lines, false)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2.0", "1.0 to 3.0", "at least 3.0", "NOT REACHED", "5 MB", "skipped: why"} {
		if !strings.Contains(judged.String(), want) {
			t.Errorf("no %q in\n%s", want, &judged)
		}
	}
	if strings.Contains(not.String(), "REACHED") || !strings.Contains(not.String(), "skipped: why") {
		t.Errorf("without a verdict:\n%s", &not)
	}
}

func TestGroupIsJSONOfOneSize(t *testing.T) {
	sizes := map[int]bool{}
	names := map[string]bool{}
	for _, n := range []uint64{0, 7, 1_000_000, 9_999_999_999} {
		request := sendGroup(load.Client{Host: "h", Token: "t"}, []byte("POST /"), n)
		_, body, _ := bytes.Cut(request, []byte("\r\n\r\n"))
		var g struct{ Name string }
		if err := json.Unmarshal(body, &g); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if !bytes.Contains(request, fmt.Appendf(nil, "Content-Length: %d\r\n", len(body))) {
			t.Errorf("another length than %d: %s", len(body), request)
		}
		sizes[len(body)] = true
		names[g.Name] = true
	}
	if len(sizes) != 1 || len(names) != 4 {
		t.Errorf("sizes %v, names %v", sizes, names)
	}
}

func TestCustomersAreJSON(t *testing.T) {
	api := versionAPI{newCohortAPI("h", content{stores: 1, groups: 200})}
	for _, n := range []uint64{0, 7, 1_000_000} {
		for start, source := range map[string]load.Source{"POST /stores/bench-0/v2/customers HTTP": api.createCustomer, "PUT /stores/bench-0/v2/customers/": api.moveCustomer} {
			request := source(nil, n)
			_, body, _ := bytes.Cut(request, []byte("\r\n\r\n"))
			if !json.Valid(body) || !bytes.HasPrefix(request, []byte(start)) ||
				!bytes.Contains(request, fmt.Appendf(nil, "Content-Length: %d\r\n", len(body))) {
				t.Errorf("%s", request)
			}
		}
	}
}

func TestPickTakesAllInTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 2000).Draw(t, "most")
		if most == 7919 {
			return
		}
		first := rapid.Uint64Range(0, 1<<40).Draw(t, "first")
		seen := map[uint64]bool{}
		for i := range most {
			n := pick(first+uint64(i), most)
			if n < 1 || n > uint64(most) {
				t.Fatalf("%d of %d", n, most)
			}
			seen[n] = true
		}
		if len(seen) != most {
			t.Fatalf("%d of %d", len(seen), most)
		}
	})
}

// Requests are spread over all stores, and in each store over all groups.
func TestRequestsReachEveryGroup(t *testing.T) {
	c := content{stores: 10, groups: 200}
	api := newCohortAPI("h", c)
	seen := map[string]int{}
	for n := range uint64(c.groups) {
		line, _, _ := strings.Cut(string(api.get(nil, n)), " HTTP/1.1")
		seen[line]++
	}
	if len(seen) != c.groups {
		t.Errorf("%d of %d groups", len(seen), c.groups)
	}
}

func TestMixHasItsShares(t *testing.T) {
	count := map[string]int{}
	kind := func(name string) load.Source {
		return func(b []byte, _ uint64) []byte { return append(b, name...) }
	}
	const all = 100_000
	for n := range uint64(all) {
		count[string(mix(n, kind("get"), kind("list"), kind("create"), kind("update"))(nil, n))]++
	}
	for name, want := range map[string]int{"get": 80, "list": 10, "create": 7, "update": 3} {
		if got := float64(count[name]) * 100 / all; got < float64(want)*0.95 || got > float64(want)*1.05 {
			t.Errorf("%s: %.2f of a hundred, want %d", name, got, want)
		}
	}
}

func TestChangingChangesOneOfTwenty(t *testing.T) {
	source := changing(
		func(b []byte, _ uint64) []byte { return append(b, 's') },
		func(b []byte, _ uint64) []byte { return append(b, 'c') })
	var all []byte
	for n := range uint64(100) {
		all = source(all, n)
	}
	if got := bytes.Count(all, []byte("c")); got != 5 || len(all) != 100 {
		t.Errorf("%d of %d: %s", got, len(all), all)
	}
}

// Something changes before each measured request, so that no response comes
// from a cache.
func TestLonerChangesSomethingBeforeItAsks(t *testing.T) {
	var asked []string
	var names []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked = append(asked, fmt.Sprint(r.Method, " ", r.URL))
		if body, err := io.ReadAll(r.Body); err == nil && r.Method == "PUT" {
			names = append(names, string(body))
		}
	}))
	b := &bench{settings: settings{large: content{1, 300}}}
	l, err := newLoner(t.Context(), b, server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	if _, query, err := l.slowest("/count", []string{"?name=x"}, 15); err != nil || query != "/count?name=x" {
		t.Fatalf("%q, %v", query, err)
	}
	server.Close() // no request is under way afterwards
	const groups = "/stores/bench-0/v2/customer_groups"
	want := slices.Repeat([]string{"PUT " + groups + "/100", "GET " + groups + "/count?name=x"}, 15)
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
	if slices.Sort(names); len(slices.Compact(names)) != 15 {
		t.Errorf("changes that change nothing: %s", names)
	}
}

func TestLonerTakesNoRefusal(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	b := &bench{settings: settings{large: content{1, 300}}}
	l, err := newLoner(t.Context(), b, server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	if _, err := l.ask("/count"); err == nil {
		t.Error("ask takes it")
	}
	if err := l.change(); err == nil {
		t.Error("change takes it")
	}
}

func TestDelayFlush(t *testing.T) {
	got, err := delayFlush([]byte("package libc\n\n" + flushPlace + "\treturn 0\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(got, []byte(flushPlace+"\tif n == SYS_fsync || n == SYS_fdatasync {")) || !bytes.Contains(got, []byte("NsecToTimespec(2000000)")) {
		t.Errorf("got\n%s", got)
	}
	for _, source := range []string{"package libc\n", flushPlace + flushPlace} {
		if _, err := delayFlush([]byte(source)); !errors.Is(err, errNoPlace) {
			t.Errorf("%q: %v", source, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	got := defaults([]string{"PATH=/bin", "COHORT_DB=sqlite:x", "GOGC=off", "GOMAXPROCS=1", "GODEBUG=x", "GOMEMLIMIT=1", "HOME=/"})
	if diff := cmp.Diff([]string{"PATH=/bin", "HOME=/"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestChoose(t *testing.T) {
	names := func(words string) (names []string) {
		chosen, err := choose(rows(), words)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range chosen {
			names = append(names, r.name)
		}
		return names
	}
	if got, want := len(names("")), len(rows()); got != want {
		t.Errorf("%d rows of %d", got, want)
	}
	if diff := cmp.Diff([]string{"create/echo", "create/events", "get/hello", "list"}, names("list,create/e,get")); diff != "" {
		t.Error(diff)
	}
	if _, err := choose(rows(), "nothing"); err == nil {
		t.Error("a row that is not there is taken")
	}
}
