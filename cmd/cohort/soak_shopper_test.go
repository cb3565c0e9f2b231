package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// The sizes of the shop: products, the items of a request for prices, and the
// clients that send such requests.
const (
	shopProducts = 100
	shopItems    = 50
	shoppers     = 5
)

// rest waits for the pace of the soak, unless ctx ends first.
func (s *soak) rest(ctx context.Context) {
	if s.pace == 0 || ctx == nil {
		return
	}
	timer := time.NewTimer(s.pace)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// soakShop is a catalog, and a group that gets a tenth off all of it.
type soakShop struct {
	group    int64
	products []int64
}

func newShop(s *soak) *soakShop {
	r, h := newRegular(s, -1), &soakShop{}
	category := r.createV3("/catalog/categories", `{"parent_id":0,"name":"All"}`)
	for i := range shopProducts {
		h.products = append(h.products, r.createV3("/catalog/products",
			fmt.Sprintf(`{"name":"Product %d","type":"physical","weight":1,"price":100,"categories":[%d]}`, i, category)))
	}
	_, h.group = r.create("/customer_groups", fmt.Sprintf(
		`{"name":"shoppers","discount_rules":[{"type":"category","category_id":%d,"method":"percent","amount":10}]}`, category))
	s.groups++
	return h
}

func (r *regular) createV3(path, body string) (id int64) {
	response := r.askV3(http.MethodPost, path, body, http.StatusOK)
	if _, err := fmt.Sscanf(response, `{"data":{"id":%d,`, &id); err != nil {
		r.Errorf("POST %s: %v: %s", path, err, response)
	}
	return id
}

// shopper is a well-behaved client of V3. It changes the price of a product that no
// other client changes, asks for prices, lists products, and creates and deletes a
// customer.
type shopper struct {
	*regular
	shop  *soakShop
	index int
}

func newShopper(s *soak, h *soakShop, index int) *shopper {
	r := newRegular(s, -1)
	r.kind, r.rng = "shoppers", rand.New(rand.NewPCG(3, uint64(index)))
	return &shopper{regular: r, shop: h, index: index}
}

func (s *shopper) run(ctx context.Context) {
	s.ctx = ctx
	for s.visit(); ctx.Err() == nil && !s.Failed(); {
		s.visit()
	}
}

func (s *shopper) visit() {
	price := 10 * (1 + s.rng.IntN(1000))
	s.askV3("PUT", fmt.Sprint("/catalog/products/", s.shop.products[s.index]), fmt.Sprintf(`{"price":%d}`, price), 200)
	s.wantPrice(price)
	s.askV3("GET", fmt.Sprintf("/catalog/products?limit=20&page=%d", 1+s.rng.IntN(shopProducts/20)), "", 200)

	email := fmt.Sprintf("shopper%d@example.com", s.index)
	created := s.askV3("POST", "/customers", fmt.Sprintf(
		`[{"first_name":"Sam","last_name":"Poe","email":%q,"customer_group_id":%d}]`, email, s.shop.group), 200)
	var id int64
	if _, err := fmt.Sscanf(created, `{"data":[{"id":%d,`, &id); err != nil {
		s.Errorf("the response to a create of a customer is %s: %v", created, err)
	}
	path := fmt.Sprint("/customers?id:in=", id)
	if got := s.askV3("GET", path, "", 200); !strings.Contains(got, email) {
		s.Errorf("%s is %s", path, got)
	}
	s.askV3("DELETE", path, "", 204)
}

// wantPrice asks for the prices of many products. The own one is the first.
func (s *shopper) wantPrice(price int) {
	items := []string{fmt.Sprintf(`{"product_id":%d}`, s.shop.products[s.index])}
	for range shopItems - 1 {
		items = append(items, fmt.Sprintf(`{"product_id":%d}`, s.shop.products[s.rng.IntN(shopProducts)]))
	}
	prices := s.askV3("POST", "/pricing/products", fmt.Sprintf(
		`{"channel_id":1,"currency_code":"USD","customer_group_id":%d,"items":[%s]}`, s.shop.group, strings.Join(items, ",")), 200)
	own, _, _ := strings.Cut(prices, `"bulk_pricing"`)
	if want := fmt.Sprintf(`"calculated_price":{"as_entered":%d,`, price-price/10); !strings.Contains(own, want) {
		s.Errorf("the price of a product of %d does not have %s: %s", price, want, own)
	}
}
