package main_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// headOf returns the header of a request, without its body.
func headOf(method, path, token string, length int, header ...string) string {
	lines := append([]string{method + " " + path + " HTTP/1.1", "Host: 127.0.0.1", fmt.Sprint("Content-Length: ", length)}, header...)
	if token != "" {
		lines = append(lines, "X-Auth-Token: "+token)
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// rejectionsBeforeBody sends headers that the server rejects, and no body. The
// rejection arrives without the body, and the server closes the connection,
// because it cannot tell where the body would end.
func rejectionsBeforeBody(t *testing.T, a *abuse) {
	v := newVictim(t)
	token, other := v.newStore("xyz"), v.newStore("other")
	metered := v.newStore("metered", "--plan", "enterprise", "--quota", "1")
	v.must(200, metered, "GET", "/stores/metered/v2/time", "")
	const path, json, large = "/stores/xyz/v2/customer_groups", "Content-Type: application/json", 100_000
	var got []string
	for _, c := range []struct {
		want int
		text string
	}{
		{401, headOf("POST", path, "", large, json)},
		{401, headOf("POST", path, "nobody-has-this", large, json)},
		{403, headOf("POST", path, other, large, json)},
		{404, headOf("POST", "/stores/xyz/v2/nothing", token, large, json)},
		{406, headOf("POST", path, token, large, json, "Accept: text/html")},
		{413, headOf("POST", path, token, 2<<20, json)},
		{415, headOf("POST", path, token, large, "Content-Type: text/plain")},
		{429, headOf("POST", "/stores/metered/v2/customer_groups", metered, large, json)},
	} {
		w := v.dial()
		if _, err := io.WriteString(w, c.text); err != nil {
			t.Fatal(err)
		}
		// A server that waits for the body rejects the request after its
		// timeout for bodies, which is longer than this deadline.
		begun := time.Now()
		if err := w.SetDeadline(begun.Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		r := w.read()
		if r.status != c.want {
			t.Errorf("want %d without the body, got %s after %v", c.want, r, time.Since(begun).Round(time.Millisecond))
		}
		closed := false
		if r.status != 0 {
			_, err := w.responses.ReadByte()
			closed = err == io.EOF
			if !closed {
				t.Errorf("after %d, the connection is not closed: %v", c.want, err)
			}
		}
		got = append(got, fmt.Sprintf("%d: %d after %v, closed: %v", c.want, r.status, time.Since(begun).Round(time.Millisecond), closed))
		w.Close()
		if !a.long && t.Failed() {
			break // each failure takes the whole deadline
		}
	}
	a.found(t, "%s", strings.Join(got, "; "))
	v.wantAlive()
	v.end()
}

// missingBodies holds forty creations of groups and one change of price records
// open before their bodies have arrived. Other clients can do the same
// meanwhile.
func missingBodies(t *testing.T, a *abuse) {
	v := newVictim(t)
	token := v.newStore("xyz")
	const groups = "/stores/xyz/v2/customer_groups"
	v.must(200, token, "POST", "/stores/xyz/v3/catalog/products", `{"name":"x","type":"physical","weight":1,"price":10}`)
	v.must(200, token, "POST", "/stores/xyz/v3/pricelists", `{"name":"list"}`)
	const records = "/stores/xyz/v3/pricelists/1/records"
	slow := []string{headOf("PUT", records, token, 1000, "Content-Type: application/json") + "["}
	for range 40 {
		slow = append(slow, headOf("POST", groups, token, 1000, "Content-Type: application/json")+"{")
	}
	var held []wire
	for _, text := range slow {
		w := v.dial()
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		held = append(held, w)
	}
	v.awaitVitals(t, "all slow requests are under way", func(n vitals) bool { return n.inFlight >= float64(len(slow)) })
	creates := v.loose(2, a.share, func(ctx context.Context, _, _ int) reply {
		return v.ask(ctx, token, "POST", groups, newGroupBody("quick"))
	})
	puts := v.loose(1, a.share, func(ctx context.Context, _, round int) reply {
		return v.ask(ctx, token, "PUT", records, fmt.Sprintf(`[{"variant_id":1,"currency":"USD","price":%d}]`, round+1))
	})
	creates.wantOnly(t, "a client that creates groups beside forty slow ones", 200)
	puts.wantOnly(t, "a client that changes price records beside a slow one", 200)
	a.found(t, "beside 40 slow creates: %s; beside a slow PUT of records: %s", creates, puts)
	for _, w := range held {
		w.Close()
	}
	v.wantAlive()
	v.end()
}

// halfClosedConnections sends whole requests, closes the write side of the
// connection and waits for the responses.
func halfClosedConnections(t *testing.T, a *abuse) {
	v := newVictim(t)
	token := v.newStore("xyz")
	id := v.group("xyz", token, "")
	for _, c := range []struct {
		name string
		n    int
		text func(i int) string
	}{
		{"creates of groups", a.size(20, 100), func(i int) string {
			return raw("POST", "/stores/xyz/v2/customer_groups", token, fmt.Sprintf(`{"name":"half left %d"}`, i))
		}},
		{"creates of customers", a.size(20, 50), func(i int) string {
			return raw("POST", "/stores/xyz/v2/customers", token, fmt.Sprintf(`{"first_name":"A","last_name":"B","email":"half%d@example.com"}`, i))
		}},
		{"gets", a.size(50, 150), func(int) string {
			return raw("GET", fmt.Sprint("/stores/xyz/v2/customer_groups/", id), token, "")
		}},
		{"/readyz", a.size(20, 50), func(int) string { return raw("GET", "/readyz", "", "") }},
	} {
		var all tally
		for i := range c.n {
			w := v.dial()
			begun := time.Now()
			if _, err := io.WriteString(w, c.text(i)); err != nil {
				t.Fatal(err)
			}
			if err := w.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			r := w.read()
			r.took = time.Since(begun)
			all.add(r)
			w.Close()
		}
		all.wantOnly(t, c.name+" on half-closed connections", 200)
		a.found(t, "%s: %s", c.name, &all)
		if c.name == "gets" || c.name == "/readyz" {
			continue
		}
		path, missing, twice := "/stores/xyz/v2/customer_groups?name=half%%20left%%20%d", 0, 0
		if c.name == "creates of customers" {
			path = "/stores/xyz/v2/customers?email=half%d@example.com"
		}
		for i := range c.n {
			r := v.ask(t.Context(), token, "GET", fmt.Sprintf(path, i), "")
			switch strings.Count(r.body, `"date_created"`) {
			case 0:
				missing++
			case 1:
			default:
				twice++
			}
		}
		if missing > 0 || twice > 0 {
			t.Errorf("of %d %s, %d are missing and %d exist more than once", c.n, c.name, missing, twice)
		}
		a.found(t, "%s: of %d, %d are missing, %d exist more than once", c.name, c.n, missing, twice)
	}
	v.wantAlive()
	v.end()
}
