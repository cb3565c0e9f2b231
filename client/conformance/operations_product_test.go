package conformance

import (
	"context"

	"cohort.example/cohort/client"
)

// operationsOfProducts are the methods about products and variants.
func operationsOfProducts() []operation {
	return []operation{
		newOperation("GET /v3/catalog/products", list(func(c *client.Client, ctx context.Context, f client.ProductFilter, p client.Page) ([]client.Product, error) {
			return c.Products.List(ctx, f, p)
		})),
		newOperation("GET /v3/catalog/products/{id}", func(ctx context.Context, c *client.Client, in call) (any, error) {
			f, _, err := filterOf[struct {
				Include []string `query:"include"`
			}](in.query)
			if err != nil {
				return nil, err
			}
			p, err := c.Products.Get(ctx, in.ids[0], f.Include...)
			return p, err
		}),
		newOperation("POST /v3/catalog/products", send(func(c *client.Client, ctx context.Context, _ []int64, in client.ProductCreate) (client.Product, error) {
			return c.Products.Create(ctx, in)
		})),
		newOperation("PUT /v3/catalog/products/{id}", send(func(c *client.Client, ctx context.Context, ids []int64, in client.ProductUpdate) (client.Product, error) {
			return c.Products.Update(ctx, ids[0], in)
		})),
		newOperation("PUT /v3/catalog/products", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.ProductChange) ([]client.Product, error) {
			return c.Products.UpdateMany(ctx, in)
		})),
		newOperation("DELETE /v3/catalog/products/{id}", remove(func(c *client.Client, ctx context.Context, ids []int64) error {
			return c.Products.Delete(ctx, ids[0])
		})),
		newOperation("DELETE /v3/catalog/products", removeBy(func(c *client.Client, ctx context.Context, _ []int64, f client.ProductFilter) error {
			return c.Products.DeleteMany(ctx, f)
		})),
		newOperation("GET /v3/catalog/variants", list(func(c *client.Client, ctx context.Context, f client.VariantFilter, p client.Page) ([]client.Variant, error) {
			return c.Variants.List(ctx, f, p)
		})),
		newOperation("PUT /v3/catalog/variants", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.VariantPut) ([]client.Variant, error) {
			return c.Variants.Put(ctx, in)
		})),
		newOperation("GET /v3/catalog/products/{id}/variants", func(ctx context.Context, c *client.Client, in call) (any, error) {
			f, page, err := filterOf[client.VariantFields](in.query)
			if err != nil {
				return nil, err
			}
			rows, err := c.Variants.ListOf(ctx, in.ids[0], f, page)
			return rows, err
		}),
		newOperation("GET /v3/catalog/products/{id}/variants/{id}", plain(func(c *client.Client, ctx context.Context, ids []int64) (client.Variant, error) {
			return c.Variants.Get(ctx, ids[0], ids[1])
		})),
		newOperation("POST /v3/catalog/products/{id}/variants", send(func(c *client.Client, ctx context.Context, ids []int64, in client.VariantUpdate) (client.Variant, error) {
			return c.Variants.Create(ctx, ids[0], in)
		})),
		newOperation("PUT /v3/catalog/products/{id}/variants/{id}", send(func(c *client.Client, ctx context.Context, ids []int64, in client.VariantUpdate) (client.Variant, error) {
			return c.Variants.Update(ctx, ids[0], ids[1], in)
		})),
		newOperation("DELETE /v3/catalog/products/{id}/variants/{id}", remove(func(c *client.Client, ctx context.Context, ids []int64) error {
			return c.Variants.Delete(ctx, ids[0], ids[1])
		})),
	}
}
