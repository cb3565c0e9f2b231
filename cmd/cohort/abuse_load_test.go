package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort/internal/testenv"
)

// largestResponse is the largest allowed response in bytes.
const largestResponse = 32 << 20

// numbers returns the numbers 1 to n, separated by commas.
func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",%d", i+1)
	}
	return b.String()[1:]
}

// repeated returns n texts separated by commas. %d in the format is the number
// of the text, from 1.
func repeated(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ","+format, i+1)
	}
	return b.String()[1:]
}

// bring imports a catalog of categories and of products that are in all of
// them.
func (v *victim) bring(store string, categories, products int) {
	v.t.Helper()
	file := filepath.Join(v.t.TempDir(), "catalog.jsonl")
	lines := strings.ReplaceAll(repeated(categories, `{"kind":"category","id":%[1]d,"name":"c%[1]d"}`), ",{", "\n{") + "\n" +
		strings.ReplaceAll(repeated(products, `{"kind":"product","id":%[1]d,"name":"p%[1]d","price":10,"categories":[`+numbers(categories)+`]}`), ",{", "\n{") + "\n"
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		v.t.Fatal(err)
	}
	v.cohort("catalog", "import", file, "--store", store)
}

// pricesOfEverything requests the prices of the largest allowed number of
// products, in the largest number of categories, for a group with as many
// rules: first with one client, then with fifty clients while a well-behaved
// client reads a group, then with clients that disconnect while the server
// shuts down.
func pricesOfEverything(t *testing.T, a *abuse) {
	v := newVictim(t)
	few := testenv.Times(100, 50)
	categories, products := a.size(few, 1000), a.size(few, 500)
	token := v.newStore("xyz")
	honest := v.newStore("honest")
	v.bring("xyz", categories, products)
	group := v.group("xyz", token, `,"discount_rules":[`+
		repeated(categories, `{"type":"category","category_id":%d,"method":"percent","amount":"5.0000"}`)+`]`)
	own := fmt.Sprint("/stores/honest/v2/customer_groups/", v.group("honest", honest, ""))
	body := fmt.Sprintf(`{"channel_id":1,"currency_code":"USD","customer_group_id":%d,"items":[%s]}`, group, repeated(products, `{"product_id":%d}`))
	paths := []string{"/stores/xyz/v3/pricing/products", "/stores/xyz/cohort/v1/prices/explain"}

	for _, path := range paths {
		r := v.ask(t.Context(), token, "POST", path, body)
		if r.status != 200 || len(r.body) > largestResponse {
			t.Errorf("POST %s of %d items: %d bytes of %s", path, products, len(r.body), r)
		}
		a.found(t, "%s, %d items: %d in %v, %d KiB; the server took %s", path, products, r.status, r.took.Round(time.Millisecond), len(r.body)>>10, v.memory())
	}
	for _, path := range paths {
		stop := v.beside(func(ctx context.Context, _ int) reply { return v.ask(ctx, honest, "GET", own, "") })
		crowd := v.loose(50, a.share, func(ctx context.Context, _, _ int) reply { return v.ask(ctx, token, "POST", path, body) })
		others := stop()
		others.wantOnly(t, "a well-behaved client", 200)
		crowd.wantOnly(t, "the hostile clients", 200, 429)
		if crowd.of(200) == 0 || crowd.largest > largestResponse {
			t.Errorf("%d hostile requests succeeded, with responses of up to %d bytes", crowd.of(200), crowd.largest)
		}
		a.found(t, "%s, 50 at once: %s; gets of a well-behaved client: %s; the server took %s", path, crowd, others, v.memory())
	}
	for range 12 {
		w := v.dial()
		_, _ = io.WriteString(w, raw("POST", paths[1], token, body)) // the server may have ended
		w.Close()
	}
	v.wantModest()
	a.found(t, "SIGTERM after 12 explanations whose clients disconnected: the server ended in %v", v.end().Round(time.Millisecond))
}

// groupsWithManyCategories creates groups of the largest size that fits into a
// body.
func groupsWithManyCategories(t *testing.T, a *abuse) {
	v := newVictim(t)
	token := v.newStore("xyz")
	fields := func(n int) string {
		return `{"name":"large","category_access":{"type":"specific","categories":[` + numbers(n) + `]}}`
	}
	const path = "/stores/xyz/v2/customer_groups"
	few := v.ask(t.Context(), token, "POST", path, fields(1000))
	many := v.ask(t.Context(), token, "POST", path, fields(148_000))
	if few.status != 200 || many.status != 400 {
		t.Errorf("groups with 1000 and 148 000 categories: %d and %s, want 200 and 400", few.status, many)
	}
	a.found(t, "1 000 categories: %d; 148 000: %d in %v", few.status, many.status, many.took.Round(time.Millisecond))
	v.wantAlive()
	v.end()
}

// listsUnread requests the longest lists and does not read the responses.
func listsUnread(t *testing.T, a *abuse) {
	v := newVictim(t)
	token := v.newStore("xyz")
	fill := func(n int, path string, body func() string) {
		for range n {
			if r := v.ask(t.Context(), token, "POST", path, body()); r.status != 200 {
				t.Fatalf("POST %s: %s", path, r)
			}
		}
	}
	ids := 148_000
	group := func() string {
		return strings.TrimSuffix(newGroupBody("large"), "}") + `,"category_access":{"type":"specific","categories":[` + numbers(ids) + `]},"discount_rules":[` +
			repeated(min(ids, 1000), `{"type":"category","category_id":%d,"method":"percent","amount":"5.0000"}`) + `]}`
	}
	n := a.size(testenv.Times(20, 10), 100)
	if r := v.ask(t.Context(), token, "POST", "/stores/xyz/v2/customer_groups", group()); r.status != 200 {
		ids, n = 1000, a.size(testenv.Times(50, 20), 250) // the expected result: so many categories are rejected
	}
	fill(n, "/stores/xyz/v2/customer_groups", group)
	a.unread(t, v, token, fmt.Sprintf("%d groups with %d categories", n, ids), "/stores/xyz/v2/customer_groups?limit=250")

	v.bring("xyz", 1000, n)
	a.unread(t, v, token, fmt.Sprintf("%d products with 1 000 categories", n), "/stores/xyz/v3/catalog/products?limit=250")
	v.wantModest()
	if !v.killed.Load() {
		v.wantAlive()
	}
	a.found(t, "the server ended in %v", v.end().Round(time.Millisecond))
}

// unread reads a list once, and then requests it six times without reading the
// responses.
func (a *abuse) unread(t *testing.T, v *victim, token, what, path string) {
	t.Helper()
	one := v.ask(t.Context(), token, "GET", path, "")
	if one.status != 200 {
		t.Errorf("GET %s: %s", path, one)
	}
	for range 6 {
		w := v.dial()
		defer w.Close()
		if err := w.SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, raw("GET", path, token, "")); err != nil {
			t.Errorf("GET %s: %v", path, err)
		}
	}
	stop := v.beside(func(ctx context.Context, _ int) reply { return v.ask(ctx, token, "GET", "/stores/xyz/v2/time", "") })
	<-time.After(a.share)
	others := stop()
	others.wantOnly(t, "a well-behaved client", 200)
	a.found(t, "%s: a list of %d KiB in %v; with six unread: gets of a well-behaved client %s; the server took %s", what,
		len(one.body)>>10, one.took.Round(time.Millisecond), others, v.memory())
}

// largeOperations deletes a large store and imports a catalog while another
// store writes.
func largeOperations(t *testing.T, a *abuse) {
	v := newVictim(t)
	honest := v.newStore("honest")
	gone := v.newStore("large")
	v.newStore("next")
	reader := v.newToken("next")
	n := a.size(testenv.Times(2_000, 1_000), 50_000)
	file := filepath.Join(t.TempDir(), "catalog.jsonl")
	text := strings.ReplaceAll(repeated(n, `{"kind":"product","id":%[1]d,"name":"p%[1]d","price":10}`), ",{", "\n{") + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	v.cohort("catalog", "import", file, "--store", "large")

	writes := func(ctx context.Context, _ int) reply {
		return v.ask(ctx, honest, "POST", "/stores/honest/v2/customer_groups", newGroupBody("small"))
	}
	for _, work := range []struct {
		name string
		args []string
	}{
		{"import", []string{"catalog", "import", file, "--store", "next"}},
		{"delete", []string{"store", "delete", "large", "--yes"}},
	} {
		stopWrites := v.beside(writes)
		stopReads := v.beside(func(ctx context.Context, _ int) reply { return v.wholeOrNot(ctx, reader, n) })
		begun := time.Now()
		v.cohort(work.args...)
		took := time.Since(begun)
		others, readers := stopWrites(), stopReads()
		others.wantOnly(t, "a client that writes to another store", 200)
		readers.wantOnly(t, "a client that reads the catalog", 200)
		a.found(t, "%s of %d products in %v: another store's writes: %s", work.name, n, took.Round(time.Millisecond), others)
	}
	if r := v.ask(t.Context(), gone, "GET", "/stores/large/v3/catalog/products", ""); r.status != 401 && r.status != 403 {
		t.Errorf("a request to the deleted store: %s", r)
	}
	v.wantModest()
	v.wantAlive()
	v.end()
}

// wholeOrNot fails unless a reader sees none or all of the products of the
// import.
func (v *victim) wholeOrNot(ctx context.Context, token string, n int) reply {
	r := v.ask(ctx, token, "GET", "/stores/next/v3/catalog/products?limit=1", "")
	var got struct {
		Meta struct{ Pagination struct{ Total int } }
	}
	if r.status == 200 && json.Unmarshal([]byte(r.body), &got) == nil && got.Meta.Pagination.Total != 0 && got.Meta.Pagination.Total != n {
		v.t.Errorf("a reader sees %d of %d products", got.Meta.Pagination.Total, n)
	}
	return r
}
