package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"cohort.example/cohort/client"
)

// fakeStore is a server with a few responses, so that the examples run anywhere. A test of an
// integration has a Cohort instead: package cohorttest.
func fakeStore() (url string, end func()) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + strings.TrimPrefix(r.URL.Path, "/stores/demo") {
		case "GET /v2/customer_groups":
			fmt.Fprint(w, `[{"id":1,"name":"Wholesale","discount_rules":[{"type":"all","method":"percent","amount":"5.0000"}]},{"id":2,"name":"Whole Foods","discount_rules":[]}]`)
		case "PUT /v2/customer_groups/2":
			fmt.Fprint(w, `{"id":2,"name":"Grocers","discount_rules":[]}`)
		case "POST /v3/customers":
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprint(w, `{"status":422,"title":"Create customers failed.","errors":{"1.email":"invalid email"}}`)
		default:
			http.NotFound(w, r)
		}
	}))
	return s.URL, s.Close
}

func Example() {
	url, end := fakeStore()
	defer end()
	c, err := client.New("demo", "demo-token", client.WithBaseURL(url))
	if err != nil {
		fmt.Println(err)
		return
	}
	for g, err := range c.Groups.All(context.Background(), client.GroupFilter{NameLike: "whole"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(g.ID, g.Name, len(g.DiscountRules))
	}
	// Output:
	// 1 Wholesale 1
	// 2 Whole Foods 0
}

// An update has the fields to set. Absent fields stay as they are, and an empty list of
// rules removes them.
func ExampleGroupService_Update() {
	url, end := fakeStore()
	defer end()
	c, err := client.New("demo", "demo-token", client.WithBaseURL(url))
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := c.Groups.Update(context.Background(), 2, client.GroupUpdate{
		Name:          client.Set("Grocers"),
		DiscountRules: client.Set([]client.DiscountRule{}),
	})
	if partial, ok := errors.AsType[*client.PartialError](err); ok {
		fmt.Println("stored, but:", partial.Message)
	} else if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(g.Name, g.DiscountRules)
	// Output: Grocers []
}

// A batch that is refused names the items with errors.
func ExampleBatchError() {
	url, end := fakeStore()
	defer end()
	c, err := client.New("demo", "demo-token", client.WithBaseURL(url))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.CustomersV3.Create(context.Background(), []client.CustomerV3Create{
		{Email: "ann@example.com", FirstName: "Ann", LastName: "Lee"},
		{Email: "bob", FirstName: "Bob", LastName: "Ray"},
	})
	if batch, ok := errors.AsType[*client.BatchError](err); ok {
		for _, item := range batch.Items {
			fmt.Println(item.Index, item.Fields["email"])
		}
	}
	fmt.Println(errors.Is(err, client.ErrInvalid))
	// Output:
	// 1 invalid email
	// true
}

func ExampleClient_Call() {
	url, end := fakeStore()
	defer end()
	c, err := client.New("demo", "demo-token", client.WithBaseURL(url))
	if err != nil {
		fmt.Println(err)
		return
	}
	var segments struct{ Data []struct{ Name string } }
	err = c.Call(context.Background(), "GET", "/v3/segments", nil, nil, &segments)
	fmt.Println(errors.Is(err, client.ErrNotFound))
	// Output: true
}
