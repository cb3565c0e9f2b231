package main

import (
	"fmt"

	"cohort.example/cohort/bench/content"
	"cohort.example/cohort/bench/load"
)

// operation is a kind of request.
type operation struct {
	name   string
	source load.Source
}

// operations are in the order in which they run. Creates come last, because they change
// what the others read.
func operations(addr string) []operation {
	store := func(name string) load.Client { return load.Client{Host: addr, Token: name + "-" + secret} }
	g, c := store("groups"), store("catalog")
	const path = "/stores/groups/v2/customer_groups"
	return []operation{
		{"get", func(b []byte, n uint64) []byte {
			return g.Get(fmt.Appendf(b, "GET %s/%d", path, pick(n, groups)))
		}},
		{"list of 50", func(b []byte, n uint64) []byte {
			return g.Get(fmt.Appendf(b, "GET %s?limit=50&page=%d", path, pick(n, groups/50)))
		}},
		{"50 prices", func(b []byte, n uint64) []byte {
			body := fmt.Appendf(nil, `{"channel_id":1,"currency_code":"USD","customer_group_id":%d,"items":[`, content.RulesGroup)
			for i := range uint64(50) {
				if i > 0 {
					body = append(body, ',')
				}
				body = fmt.Appendf(body, `{"product_id":%d}`, pick(50*n+i, products))
			}
			body = append(body, "]}"...)
			return append(c.Send(append(b, "POST /stores/catalog/v3/pricing/products"...), len(body)), body...)
		}},
		{"create", func(b []byte, n uint64) []byte {
			body := fmt.Appendf(nil, `{"name":"Wholesale %d","category_access":{"type":"specific","categories":[18,19]},`+
				`"discount_rules":[{"type":"all","method":"percent","amount":5},{"type":"category","category_id":18,"method":"price","amount":"2.50"}]}`, n)
			return append(g.Send(append(b, "POST "+path...), len(body)), body...)
		}},
	}
}

// pick returns a number from 1 to most. It yields all of them in turn as n counts up, with
// neighbours far apart.
func pick(n, most uint64) uint64 { return n*7919%most + 1 }
