package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"slices"

	"cohort.example/cohort/client"
)

type runner = func(context.Context, *client.Client, call) (any, error)

// list is a method that lists a page by a filter.
func list[F, T any](method func(*client.Client, context.Context, F, client.Page) ([]T, error)) runner {
	return func(ctx context.Context, c *client.Client, in call) (any, error) {
		f, page, err := filterOf[F](in.query)
		if err != nil {
			return nil, err
		}
		rows, err := method(c, ctx, f, page)
		return rows, err
	}
}

// surrogate is an escape that Go replaces if it is half of a pair.
var surrogate = regexp.MustCompile(`\\u[dD][89a-fA-F]`)

// send is a method with a body.
func send[In, Out any](method func(*client.Client, context.Context, []int64, In) (Out, error)) runner {
	return func(ctx context.Context, c *client.Client, in call) (any, error) {
		if len(in.query) > 0 {
			return nil, errInexpressible
		}
		var body In
		d := json.NewDecoder(bytes.NewReader(in.body))
		d.DisallowUnknownFields()
		if !json.Valid(in.body) || surrogate.Match(in.body) || d.Decode(&body) != nil {
			return nil, errInexpressible
		}
		out, err := method(c, ctx, in.ids, body)
		return out, err
	}
}

// done is a method with a body and without a result.
func done[In any](method func(*client.Client, context.Context, []int64, In) error) runner {
	return send(func(c *client.Client, ctx context.Context, ids []int64, in In) (any, error) {
		return nil, method(c, ctx, ids, in)
	})
}

// plain is a method with ids alone.
func plain[Out any](method func(*client.Client, context.Context, []int64) (Out, error)) runner {
	return func(ctx context.Context, c *client.Client, in call) (any, error) {
		if len(in.query) > 0 || len(in.body) > 0 {
			return nil, errInexpressible
		}
		out, err := method(c, ctx, in.ids)
		return out, err
	}
}

// remove is a method that deletes what the ids of a path name.
func remove(method func(*client.Client, context.Context, []int64) error) runner {
	return plain(func(c *client.Client, ctx context.Context, ids []int64) (any, error) { return nil, method(c, ctx, ids) })
}

// removeIDs is a method that deletes by "id:in".
func removeIDs(method func(*client.Client, context.Context, ...int64) error) runner {
	return func(ctx context.Context, c *client.Client, in call) (any, error) {
		f, _, err := filterOf[struct {
			IDs []int64 `query:"id:in"`
		}](in.query)
		if err != nil || len(f.IDs) == 0 {
			return nil, errInexpressible
		}
		return nil, method(c, ctx, f.IDs...)
	}
}

// removeTexts is removeIDs for ids that are texts. The method gets the text of the path too.
func removeTexts(method func(*client.Client, context.Context, string, ...string) error) runner {
	return func(ctx context.Context, c *client.Client, in call) (any, error) {
		f, _, err := filterOf[struct {
			IDs []string `query:"id:in"`
		}](in.query)
		if err != nil || len(f.IDs) == 0 {
			return nil, errInexpressible
		}
		return nil, method(c, ctx, in.text, f.IDs...)
	}
}

// pageOf is a method that lists a page without a filter.
func pageOf[T any](method func(*client.Client, context.Context, string, client.Page) ([]T, error)) runner {
	return func(ctx context.Context, c *client.Client, in call) (any, error) {
		_, page, err := filterOf[struct{}](in.query)
		if err != nil {
			return nil, err
		}
		rows, err := method(c, ctx, in.text, page)
		return rows, err
	}
}

// removeBy is a method that deletes by a filter.
func removeBy[F any](method func(*client.Client, context.Context, []int64, F) error) runner {
	return func(ctx context.Context, c *client.Client, in call) (any, error) {
		f, _, err := filterOf[F](in.query)
		if err != nil {
			return nil, err
		}
		return nil, method(c, ctx, in.ids, f)
	}
}

type counted struct {
	Count int `json:"count"`
}

// operations are the methods of the client.
var operations = slices.Concat(operationsV2(), operationsV3(), operationsOfCustomerData(), operationsOfSegments(), operationsOfCatalog(), operationsOfProducts(), operationsOfTrees(), operationsOfPlacements(), operationsOfCohort())

func operationsV2() []operation {
	type password struct {
		Password string `json:"password"`
	}
	type success struct {
		Success bool `json:"success"`
	}
	return []operation{
		newOperation("GET /v2/time", plain(func(c *client.Client, ctx context.Context, _ []int64) (any, error) {
			t, err := c.Time(ctx)
			return map[string]int64{"time": t.Unix()}, err
		})),
		newOperation("GET /v2/customer_groups", list(func(c *client.Client, ctx context.Context, f client.GroupFilter, p client.Page) ([]client.Group, error) {
			return c.Groups.List(ctx, f, p)
		})),
		newOperation("GET /v2/customer_groups/count", func(ctx context.Context, c *client.Client, in call) (any, error) {
			f, _, err := filterOf[client.GroupFilter](in.query)
			if err != nil {
				return nil, err
			}
			n, err := c.Groups.Count(ctx, f)
			return counted{n}, err
		}),
		newOperation("GET /v2/customer_groups/{id}", plain(func(c *client.Client, ctx context.Context, ids []int64) (client.Group, error) {
			return c.Groups.Get(ctx, ids[0])
		})),
		newOperation("POST /v2/customer_groups", send(func(c *client.Client, ctx context.Context, _ []int64, u client.GroupUpdate) (client.Group, error) {
			return c.Groups.Create(ctx, u)
		})),
		newOperation("PUT /v2/customer_groups/{id}", send(func(c *client.Client, ctx context.Context, ids []int64, u client.GroupUpdate) (client.Group, error) {
			return c.Groups.Update(ctx, ids[0], u)
		})),
		newOperation("DELETE /v2/customer_groups/{id}", remove(func(c *client.Client, ctx context.Context, ids []int64) error {
			return c.Groups.Delete(ctx, ids[0])
		})),
		newOperation("GET /v2/customers", list(func(c *client.Client, ctx context.Context, f client.CustomerFilter, p client.Page) ([]client.Customer, error) {
			return c.Customers.List(ctx, f, p)
		})),
		newOperation("GET /v2/customers/count", func(ctx context.Context, c *client.Client, in call) (any, error) {
			f, _, err := filterOf[client.CustomerFilter](in.query)
			if err != nil {
				return nil, err
			}
			n, err := c.Customers.Count(ctx, f)
			return counted{n}, err
		}),
		newOperation("GET /v2/customers/{id}", plain(func(c *client.Client, ctx context.Context, ids []int64) (client.Customer, error) {
			return c.Customers.Get(ctx, ids[0])
		})),
		newOperation("POST /v2/customers", send(func(c *client.Client, ctx context.Context, _ []int64, u client.CustomerUpdate) (client.Customer, error) {
			return c.Customers.Create(ctx, u)
		})),
		newOperation("PUT /v2/customers/{id}", send(func(c *client.Client, ctx context.Context, ids []int64, u client.CustomerUpdate) (client.Customer, error) {
			return c.Customers.Update(ctx, ids[0], u)
		})),
		newOperation("DELETE /v2/customers/{id}", remove(func(c *client.Client, ctx context.Context, ids []int64) error {
			return c.Customers.Delete(ctx, ids[0])
		})),
		newOperation("DELETE /v2/customers", func(ctx context.Context, c *client.Client, in call) (any, error) {
			f, page, err := filterOf[client.CustomerFilter](in.query)
			if err != nil {
				return nil, err
			}
			return nil, c.Customers.DeleteMany(ctx, f, page.Limit)
		}),
		newOperation("POST /v2/customers/{id}/validate", send(func(c *client.Client, ctx context.Context, ids []int64, p password) (success, error) {
			ok, err := c.Customers.CheckPassword(ctx, ids[0], p.Password)
			return success{ok}, err
		})),
		newOperation("GET /v2/customers/{id}/addresses", func(ctx context.Context, c *client.Client, in call) (any, error) {
			_, page, err := filterOf[struct{}](in.query)
			if err != nil {
				return nil, err
			}
			return c.Addresses.List(ctx, in.ids[0], page)
		}),
		newOperation("GET /v2/customers/{id}/addresses/count", plain(func(c *client.Client, ctx context.Context, ids []int64) (counted, error) {
			n, err := c.Addresses.Count(ctx, ids[0])
			return counted{n}, err
		})),
		newOperation("GET /v2/customers/{id}/addresses/{id}", plain(func(c *client.Client, ctx context.Context, ids []int64) (client.Address, error) {
			return c.Addresses.Get(ctx, ids[0], ids[1])
		})),
		newOperation("GET /v2/customers/addresses/{id}", plain(func(c *client.Client, ctx context.Context, ids []int64) (client.Address, error) {
			return c.Addresses.GetOfAny(ctx, ids[0])
		})),
		newOperation("POST /v2/customers/{id}/addresses", send(func(c *client.Client, ctx context.Context, ids []int64, u client.AddressUpdate) (client.Address, error) {
			return c.Addresses.Create(ctx, ids[0], u)
		})),
		newOperation("PUT /v2/customers/{id}/addresses/{id}", send(func(c *client.Client, ctx context.Context, ids []int64, u client.AddressUpdate) (client.Address, error) {
			return c.Addresses.Update(ctx, ids[0], ids[1], u)
		})),
		newOperation("DELETE /v2/customers/{id}/addresses/{id}", remove(func(c *client.Client, ctx context.Context, ids []int64) error {
			return c.Addresses.Delete(ctx, ids[0], ids[1])
		})),
		newOperation("DELETE /v2/customers/{id}/addresses", remove(func(c *client.Client, ctx context.Context, ids []int64) error {
			return c.Addresses.DeleteAll(ctx, ids[0])
		})),
	}
}
