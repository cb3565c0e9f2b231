package bench

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// manyCustomers is the size of the large store. Filling a million takes about half a
// minute on SQLite and a minute on PostgreSQL.
var manyCustomers = flag.Int("customers", 1_000_000, "customers in the large store of BenchmarkCustomerLists")

const (
	fewCustomers   = 1_000
	customerGroups = 100
)

// BenchmarkCustomerLists requests V3 lists of customers from a store of 1 000 and from
// one of manyCustomers, in the same database: whole requests, one caller, no network.
func BenchmarkCustomerLists(b *testing.B) {
	for _, e := range []struct {
		name string
		url  func(b *testing.B) string
	}{{"sqlite", func(b *testing.B) string { return sqliteURL(b) }}, {"postgres", func(b *testing.B) string { return pgtest.URL(b) }}} {
		b.Run(e.name, func(b *testing.B) {
			handler := customerStores(b, e.url(b))
			for _, l := range customerLists {
				for _, size := range []int{fewCustomers, *manyCustomers} {
					b.Run(fmt.Sprintf("%s/%d", l.name, size), func(b *testing.B) {
						for i := 0; b.Loop(); i++ {
							getCustomers(b, handler, size, l.query(i, size))
						}
					})
				}
			}
		})
	}
}

// customerLists are the requests. query returns the i-th query for a store of a size.
var customerLists = []struct {
	name  string
	query func(i, size int) string
}{
	{"id-in", func(i, size int) string {
		return "id:in=" + hundred(func(n int) int { return pick(i*100+n, size) }, "%d")
	}},
	{"email-in", func(i, size int) string {
		return "email:in=" + hundred(func(n int) int { return pick(i*100+n, size) }, "C%d@example.com")
	}},
	{"group-in", func(int, int) string {
		return "customer_group_id:in=" + hundred(func(n int) int { return n + 1 }, "%d")
	}},
	{"group-in-cursor", func(i, size int) string {
		return "customer_group_id:in=" + hundred(func(n int) int { return n + 1 }, "%d") + "&after=" + cursorOf("id:%d", pick(i, size))
	}},
	{"cursor", func(i, size int) string { return "after=" + cursorOf("id:%d", pick(i, size)) }},
	{"cursor-before", func(i, size int) string { return "before=" + cursorOf("id:%d", pick(i, size)) }},
	{"cursor-date_created", func(i, size int) string {
		n := pick(i, size)
		return "sort=date_created:asc&after=" + cursorOf("date_created:asc:%d/%d", n*1000, n)
	}},
	{"cursor-date_modified-desc", func(i, size int) string {
		n := pick(i, size)
		return "sort=date_modified:desc&after=" + cursorOf("date_modified:desc:%d/%d", n*7919%size*1000, n)
	}},
	{"cursor-last_name", func(i, size int) string {
		n := pick(i, size)
		return "sort=last_name:asc&after=" + cursorOf("last_name:asc:lovelace %d/%d", n*7919%size, n)
	}},
	{"include-all", func(i, size int) string {
		return "include=addresses,storecredit,attributes,formfields,shopper_profile_id,segment_ids&after=" + cursorOf("id:%d", pick(i, size))
	}},
	{"page-1", func(int, int) string { return "page=1" }},
	{"page-last", func(_, size int) string { return fmt.Sprintf("page=%d", size/50) }},
	{"name-like", func(i, size int) string { return "name:like=" + url.QueryEscape(fmt.Sprintf("LACE %d", pick(i, size))) }},
	{"name-like-nobody-cursor", func(int, int) string { return "name:like=nobody&after=" + cursorOf("id:%d", 1) }},
}

func cursorOf(format string, values ...any) string {
	return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf(format, values...))))
}

// hundred returns a hundred values with commas between them.
func hundred(value func(n int) int, format string) string {
	values := make([]string, 100)
	for n := range values {
		values[n] = fmt.Sprintf(format, value(n))
	}
	return url.QueryEscape(strings.Join(values, ","))
}

func getCustomers(b *testing.B, handler http.Handler, size int, query string) {
	b.Helper()
	req, err := request(http.MethodGet, fmt.Sprintf("/stores/c%d/v3/customers?%s", size, query), "")
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", fmt.Sprintf("%s-%d", secret, size))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, req)
	if w.Code != http.StatusOK {
		b.Fatalf("%.200s: %d %s", req.URL, w.Code, w.Body)
	}
}

// customerStores returns a server on a database with the two stores.
func customerStores(b *testing.B, url string) http.Handler {
	b.Helper()
	d := openDB(b, url)
	svc := service.New(d)
	sizes := []int{fewCustomers, *manyCustomers}
	for _, size := range sizes {
		hash := fmt.Sprintf("c%d", size)
		if err := addBenchStore(b.Context(), svc, hash, fmt.Sprintf("%s-%d", secret, size), cohort.ScopeCustomers); err != nil {
			b.Fatal(err)
		}
		if err := fillCustomers(b.Context(), d, hash, size); err != nil {
			b.Fatal(err)
		}
	}
	return server.New(svc, server.Options{})
}

// fillCustomers adds customers, each in one of customerGroups groups, and their member
// counts. On PostgreSQL it updates the statistics, as the server does soon after.
func fillCustomers(ctx context.Context, d *db.DB, store string, n int) error {
	const batch = 50_000
	for from := 1; from <= n; from += batch {
		err := d.Update(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`WITH RECURSIVE series (n) AS (SELECT CAST($2 AS BIGINT) UNION ALL SELECT n + 1 FROM series WHERE n < CAST($3 AS BIGINT))
				INSERT INTO customers (store_hash, id, company, first_name, last_name, email, email_folded, phone, store_credit,
					registration_ip_address, customer_group_id, notes, tax_exempt_category, reset_pass_on_login, accepts_marketing,
					password_hash, date_created, date_modified)
				SELECT $1, n, 'Company', 'Ada', 'Lovelace ' || (n * 7919 % CAST($4 AS BIGINT)), 'c' || n || '@example.com', 'c' || n || '@example.com',
					'+1 555-0100', '0.0000', '', n % CAST($5 AS BIGINT) + 1, '', '', FALSE, FALSE, '', n * 1000, n * 7919 % CAST($4 AS BIGINT) * 1000
				FROM series`, store, from, min(n, from+batch-1), n, customerGroups)
			return err
		})
		if err != nil {
			return err
		}
	}
	return d.UpdateLong(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO member_counts (store_hash, group_id, slot, members)
			SELECT store_hash, customer_group_id, 0, count(*) FROM customers WHERE store_hash = $1 GROUP BY store_hash, customer_group_id`, store)
		if err != nil || tx.SQL().ForUpdate == "" {
			return err
		}
		_, err = tx.Exec("ANALYZE customers")
		return err
	})
}
