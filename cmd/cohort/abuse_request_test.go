package main_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documented are the statuses of docs/wire.md, and those of net/http for input
// that is not HTTP or is too long.
var documented = []int{200, 204, 207, 304, 400, 401, 403, 404, 406, 408, 409, 413, 415, 417, 421, 422, 429, 431, 501, 503, 505}

// beforeAPI sends requests that the server handles before the API.
func beforeAPI(t *testing.T, a *abuse) {
	v := newVictim(t, "--dev")
	const path, token = "/stores/demo/v2/customer_groups", "demo-token"
	for _, c := range []struct {
		name, text string
		want       []int
	}{
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", []int{404}},
		{"an encoded body", raw("POST", path, token, `{"name":"x"}`, "Content-Encoding: gzip"), []int{415}},
		{"a declared length over the maximum", headOf("POST", path, token, 2<<20, "Content-Type: application/json", "Expect: 100-continue"), []int{413}},
		{"another host with --dev", strings.Replace(raw("GET", "/stores/demo/v2/time", token, ""), "Host: 127.0.0.1", "Host: rebound.example.com", 1), []int{400, 403, 404, 421}},
		{"this host with --dev", strings.Replace(raw("GET", "/stores/demo/v2/time", token, ""), "Host: 127.0.0.1", "Host: localhost:8080", 1), []int{200}},
	} {
		r := v.exchange(c.text)
		if !slices.Contains(c.want, r.status) {
			t.Errorf("%s: got %s, want %v", c.name, r, c.want)
		}
		a.found(t, "%s: %d", c.name, r.status)
	}
	v.wantAlive()
	v.end()
}

// tokenGuesses tries unknown tokens. The server starts to reject the address,
// and still accepts a valid token from it.
func tokenGuesses(t *testing.T, a *abuse) {
	v := newVictim(t)
	token := v.newStore("xyz")
	var guesses tally
	for i := range 2000 {
		guesses.add(v.ask(t.Context(), fmt.Sprint("guess-", i), "GET", "/stores/xyz/v2/time", ""))
		if guesses.of(429) > 0 {
			break
		}
	}
	guesses.wantOnly(t, "a client that guesses tokens", 401, 429)
	if guesses.of(429) == 0 {
		t.Errorf("none of %d guesses was rejected with 429", guesses.of(401))
	}
	right := v.ask(t.Context(), token, "GET", "/stores/xyz/v2/time", "")
	if right.status != 200 {
		t.Errorf("a valid token from the same address: %s", right)
	}
	a.found(t, "guesses: %s; then a valid token: %d", &guesses, right.status)
	v.wantAlive()
	v.end()
}

// routesOf returns every method and path of a store in the OpenAPI document, with a store
// and numbers in place of the variables.
func (v *victim) routesOf(store string) (all [][2]string) {
	v.t.Helper()
	r := v.ask(v.t.Context(), "", "GET", "/openapi.yaml", "")
	path := ""
	line := regexp.MustCompile(`^  ['"]?(/[^'":]*)['"]?:|^    (get|put|post|delete):`)
	for text := range strings.SplitSeq(r.body, "\n") {
		m := line.FindStringSubmatch(text)
		switch {
		case m == nil:
		case m[1] != "":
			path = strings.ReplaceAll(strings.ReplaceAll(m[1], "{store_hash}", store), "{currency_code}", "USD")
			path = regexp.MustCompile(`\{[a-z_]+_uuid\}`).ReplaceAllString(path, "00000000-0000-4000-8000-000000000000")
			path = regexp.MustCompile(`\{[a-z_]+\}`).ReplaceAllString(path, "1")
		case strings.HasPrefix(path, "/stores/"):
			all = append(all, [2]string{strings.ToUpper(m[2]), path})
		}
	}
	if len(all) < 50 {
		v.t.Fatalf("the document has %d routes", len(all))
	}
	return all
}

// tokensOnEveryRoute tries every kind of token on every route.
func tokensOnEveryRoute(t *testing.T, a *abuse) {
	v := newVictim(t)
	v.newStore("xyz")
	other := v.newStore("other")
	v.group("other", other, "")
	reader := v.cohort("token", "create", "--store", "xyz", "--scope", "store_v2_customers_read_only,store_v2_products_read_only")
	routes := v.routesOf("xyz")
	var all tally
	for _, route := range routes {
		method, path := route[0], route[1]
		for _, c := range []struct {
			name, token string
			want        []int
		}{
			{"another store's", other, []int{403}},
			{"a read-only", reader, []int{200, 204, 400, 403, 404, 422}},
			{"an unknown", "nobody-has-this", []int{401, 429}},
			{"an empty", " ", []int{401, 429}},
		} {
			r := v.ask(t.Context(), c.token, method, path, "{}")
			all.add(r)
			if !slices.Contains(c.want, r.status) {
				t.Errorf("%s %s with %s token: %s, want %v", method, path, c.name, r, c.want)
			}
			if strings.Contains(r.body, "a group") {
				t.Errorf("%s %s with %s token shows another store: %s", method, path, c.name, r)
			}
		}
		if method == http.MethodGet {
			continue
		}
		if r := v.ask(t.Context(), reader, method, path, "{}"); r.status == 200 && !strings.Contains(path, "pric") && !strings.Contains(path, "/cohort/") {
			t.Errorf("%s %s with a read-only token: %s", method, path, r)
		}
	}
	a.found(t, "%d routes: %s", len(routes), &all)
	v.wantAlive()
	v.end()
}

// oddRequests sends invalid and unusual requests: arbitrary bytes, pipelined
// requests, bad chunks, long headers, strange paths and queries.
func oddRequests(t *testing.T, a *abuse) {
	v := newVictim(t)
	token := v.newStore("xyz")
	const groups = "/stores/xyz/v2/customer_groups"
	chunked := func(chunks string) string {
		return strings.Replace(raw("POST", groups, token, ""), "Content-Length: 0", "Transfer-Encoding: chunked", 1) + chunks
	}
	texts := []string{
		"", "\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/7.0\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		chunked("zz\r\n{}\r\n0\r\n\r\n"), chunked("2\r\n{}"), chunked("ffffffffffffffffff\r\n"), chunked("-1\r\n\r\n"), chunked("2;x=" + strings.Repeat("y", 5000) + "\r\n{}\r\n0\r\n\r\n"),
		chunked("0\r\nX-Auth-Token: other\r\n\r\n"),
		raw("GET", groups, token, "", "X-Long: "+strings.Repeat("x", 100<<10)), raw("GET", groups, token, "", strings.TrimSuffix(strings.Repeat("X-Many: 1\r\n", 5000), "\r\n")),
		raw("GET", groups, token, "", "Content-Length: 7"), raw("POST", groups, token, "{}", "Transfer-Encoding: chunked"), raw("POST", groups, token, "{}", "Transfer-Encoding: gzip, chunked"),
		raw("GET", groups, token, "", "No colon"), raw("GET", groups, token, "", " Folded: 1"), raw("GET", groups, token, "", "Null: \x00"),
		raw("POST", groups, token, "{}", "Expect: the-unexpected"), raw("TRACE", groups, token, ""), raw("CONNECT", "example.com:443", token, ""), raw("GET", "http://example.com"+groups, token, ""),
		raw("POST", groups, token, strings.Repeat("[", 10_000)), raw("POST", groups, token, "{\"name\":\"\xff\"}"), raw("POST", groups, token, `{"name":"\ud800"}`), raw("POST", groups, token, `{"name":"`+strings.Repeat("x", 1<<20)+`"}`),
		strings.Repeat(raw("GET", groups, token, ""), 50),
	}
	for _, path := range []string{
		"/stores/xyz%2fv2/time", "/stores/xyz/v2/customer_groups/..%2f..%2fother", "/stores/../stores/xyz/v2/time", "//stores//xyz//v2//time", "/stores/xyz/v2/./time", "/stores/%00/v2/time",
		"/stores/xyz/v2/customer_groups/%31", "/stores/xyz/v2/customer_groups/99999999999999999999999", "/stores/xyz/v2/customer_groups/-1", "/stores/XYZ/v2/time", "/stores/xyz/v2/customer_groups/1;x", "/%", "*",
		groups + "?name=%zz", groups + "?name=%ff", groups + "?limit=9e9", groups + "?limit=-1", groups + "?page=99999999999999999999", groups + "?page=9223372036854775807&limit=250", groups + "?a=1;b=2",
		groups + "?" + strings.TrimSuffix(strings.Repeat("a=1&", 1000), "&"), groups + "?" + repeatedQuery(101), groups + "?min_date_created=9999-99-99", groups + "?name:like=%25%25", groups + "?id:in=" + numbers(5000),
		"/stores/xyz/v3/catalog/products?id:in=" + numbers(5000), "/stores/xyz/v3/catalog/products?after=%00", "/stores/xyz/v3/catalog/products?sort=id;drop", "/openapi.yaml/", "/metrics", "/debug/pprof/",
	} {
		texts = append(texts, raw("GET", path, token, ""), raw("DELETE", path, token, ""))
	}
	rng := rand.New(rand.NewPCG(4, 4))
	for range a.size(200, 3000) {
		texts = append(texts, damaged(rng, texts[rng.IntN(len(texts))]))
	}
	var all tally
	for _, text := range texts {
		w := v.dial()
		_, _ = io.WriteString(w, text) // the server may reject it before its end
		_ = w.CloseWrite()             // so that the server does not wait for more
		r := w.read()
		all.add(r)
		w.Close()
		if r.status != 0 && !slices.Contains(documented, r.status) {
			t.Errorf("%.200q: got %s", text, r)
		}
	}
	// A well-behaved client is served as before.
	for range 10 {
		v.group("xyz", token, "")
	}
	a.found(t, "%d texts: %s", len(texts), &all)
	v.wantModest()
	v.wantAlive()
	v.end()
}

func repeatedQuery(n int) string { return strings.ReplaceAll(repeated(n, "p%d=1"), ",", "&") }

// damaged returns a text with some bytes changed, removed or inserted.
func damaged(rng *rand.Rand, text string) string {
	b := []byte(text)
	for range 1 + rng.IntN(4) {
		if len(b) == 0 {
			break
		}
		i := rng.IntN(min(len(b), 400))
		switch rng.IntN(3) {
		case 0:
			b[i] = byte(rng.Uint32())
		case 1:
			b = slices.Delete(b, i, i+1)
		default:
			b = slices.Insert(b, i, b[:rng.IntN(i+1)]...)
		}
	}
	return string(b)
}
