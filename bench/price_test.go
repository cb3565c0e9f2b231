package bench

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/bench/content"
	"cohort.example/cohort/bench/load"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/service"
)

// BenchmarkPrices measures the cost of a request for prices in the service, in
// total and per item, by the number of items, the size of the catalog, and
// rules or a price list. The requests are for products with price records.
func BenchmarkPrices(b *testing.B) {
	for _, engine := range []struct {
		name string
		url  func(testing.TB) string
	}{
		{"sqlite", sqliteURL},
		{"postgres", pgtest.URL},
	} {
		for _, products := range []int64{1000, 100_000} {
			b.Run(fmt.Sprintf("%s/products=%d", engine.name, products), func(b *testing.B) {
				svc := newPriced(b, engine.url(b), products)
				for name, group := range map[string]int64{"rules": content.RulesGroup, "list": content.ListGroup} {
					for _, items := range []int{1, 50, 500} {
						b.Run(fmt.Sprintf("%s/items=%d", name, items), func(b *testing.B) {
							b.ReportAllocs()
							for i := 0; b.Loop(); i++ {
								r := service.PriceRequest{ChannelID: 1, Currency: "USD", ShopperQuery: service.ShopperQuery{GroupID: &group}}
								for n := range items {
									r.Items = append(r.Items, service.PriceItem{ProductID: pickPriced(i*items+n, products)})
								}
								if _, err := svc.Prices(b.Context(), "bench", r); err != nil {
									b.Fatal(err)
								}
							}
							b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*items), "ns/item")
						})
					}
				}
			})
		}
	}
}

// BenchmarkPricesHTTP measures requests of 50 items over the loopback interface
// by 40 concurrent callers, in b.N rounds of two seconds.
func BenchmarkPricesHTTP(b *testing.B) {
	const products, items = 100_000, 50
	svc := newPriced(b, sqliteURL(b), products)
	srv := httptest.NewServer(server.New(svc, server.Options{}))
	b.Cleanup(srv.Close)
	addr := srv.Listener.Addr().String()
	for name, group := range map[string]int64{"rules": content.RulesGroup, "list": content.ListGroup} {
		b.Run(name, func(b *testing.B) {
			var perSecond []float64
			source := func(buf []byte, n uint64) []byte {
				body := pricesBody(group, int(n), items, products)
				return fmt.Appendf(buf, "POST /stores/bench/v3/pricing/products HTTP/1.1\r\nHost: %s\r\nX-Auth-Token: %s\r\n"+
					"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", addr, secret, len(body), body)
			}
			for b.Loop() {
				r, err := load.Run(load.Plan{Addr: addr, Callers: callers, Source: source, WarmUp: 400 * time.Millisecond, For: 2 * time.Second})
				if err == nil {
					err = r.Check()
				}
				if err != nil {
					b.Fatal(err)
				}
				perSecond = append(perSecond, r.PerSecond())
			}
			b.ReportMetric(median(perSecond), "requests/s")
			b.ReportMetric(median(perSecond)*items, "items/s")
		})
	}
}

func pricesBody(group int64, n, items int, products int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"channel_id":1,"currency_code":"USD","customer_group_id":%d,"items":[`, group)
	for i := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"product_id":%d}`, pickPriced(n*items+i, products))
	}
	b.WriteString("]}")
	return b.String()
}

// pickPriced returns the products in turn, with neighbours far apart.
func pickPriced(i int, products int64) int64 { return int64(pick(i, int(products))) }

// newPriced returns a service on a database with a catalog.
func newPriced(b *testing.B, url string, products int64) *service.Service {
	b.Helper()
	d := openDB(b, url)
	svc := service.New(d)
	if err := addBenchStore(b.Context(), svc, "bench", secret, cohort.ScopeProductsRead); err != nil {
		b.Fatal(err)
	}
	if err := content.Catalog(b.Context(), d, "bench", products); err != nil {
		b.Fatal(err)
	}
	return svc
}
