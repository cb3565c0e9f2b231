package conformance

import (
	"context"

	"cohort.example/cohort/client"
)

// operationsOfCatalog are the methods about categories and brands.
func operationsOfCatalog() []operation {
	return []operation{
		newOperation("GET /v3/catalog/categories", list(func(c *client.Client, ctx context.Context, f client.CategoryFilter, p client.Page) ([]client.Category, error) {
			return c.Categories.List(ctx, f, p)
		})),
		newOperation("GET /v3/catalog/categories/{id}", plain(func(c *client.Client, ctx context.Context, ids []int64) (client.Category, error) {
			return c.Categories.Get(ctx, ids[0])
		})),
		newOperation("POST /v3/catalog/categories", send(func(c *client.Client, ctx context.Context, _ []int64, in client.CategoryUpdate) (client.Category, error) {
			return c.Categories.Create(ctx, in)
		})),
		newOperation("PUT /v3/catalog/categories/{id}", send(func(c *client.Client, ctx context.Context, ids []int64, in client.CategoryUpdate) (client.Category, error) {
			return c.Categories.Update(ctx, ids[0], in)
		})),
		newOperation("DELETE /v3/catalog/categories/{id}", remove(func(c *client.Client, ctx context.Context, ids []int64) error {
			return c.Categories.Delete(ctx, ids[0])
		})),
		newOperation("DELETE /v3/catalog/categories", removeBy(func(c *client.Client, ctx context.Context, _ []int64, f client.CategoryFilter) error {
			return c.Categories.DeleteMany(ctx, f)
		})),
		newOperation("GET /v3/catalog/brands", list(func(c *client.Client, ctx context.Context, f client.BrandFilter, p client.Page) ([]client.Brand, error) {
			return c.Brands.List(ctx, f, p)
		})),
		newOperation("GET /v3/catalog/brands/{id}", plain(func(c *client.Client, ctx context.Context, ids []int64) (client.Brand, error) {
			return c.Brands.Get(ctx, ids[0])
		})),
		newOperation("POST /v3/catalog/brands", send(func(c *client.Client, ctx context.Context, _ []int64, in client.BrandUpdate) (client.Brand, error) {
			return c.Brands.Create(ctx, in)
		})),
		newOperation("PUT /v3/catalog/brands/{id}", send(func(c *client.Client, ctx context.Context, ids []int64, in client.BrandUpdate) (client.Brand, error) {
			return c.Brands.Update(ctx, ids[0], in)
		})),
		newOperation("DELETE /v3/catalog/brands/{id}", remove(func(c *client.Client, ctx context.Context, ids []int64) error {
			return c.Brands.Delete(ctx, ids[0])
		})),
		newOperation("DELETE /v3/catalog/brands", removeBy(func(c *client.Client, ctx context.Context, _ []int64, d client.BrandDeletion) error {
			return c.Brands.DeleteMany(ctx, d)
		})),
	}
}
