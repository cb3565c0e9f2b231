package conformance

import (
	"context"

	"cohort.example/cohort/client"
)

// operationsOfTrees are the methods about trees of categories.
func operationsOfTrees() []operation {
	return []operation{
		newOperation("GET /v3/catalog/categories/tree", plain(func(c *client.Client, ctx context.Context, _ []int64) ([]client.CategoryNode, error) {
			return c.Categories.Tree(ctx)
		})),
		newOperation("GET /v3/catalog/trees", list(func(c *client.Client, ctx context.Context, f client.CategoryTreeFilter, p client.Page) ([]client.CategoryTree, error) {
			return c.CategoryTrees.List(ctx, f, p)
		})),
		newOperation("PUT /v3/catalog/trees", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.CategoryTreePut) ([]client.CategoryTree, error) {
			return c.CategoryTrees.Put(ctx, in)
		})),
		newOperation("DELETE /v3/catalog/trees", removeIDs(func(c *client.Client, ctx context.Context, ids ...int64) error {
			return c.CategoryTrees.Delete(ctx, ids...)
		})),
		newOperation("GET /v3/catalog/trees/{id}/categories", plain(func(c *client.Client, ctx context.Context, ids []int64) ([]client.CategoryNode, error) {
			return c.CategoryTrees.Categories(ctx, ids[0])
		})),
		newOperation("GET /v3/catalog/trees/categories", list(func(c *client.Client, ctx context.Context, f client.TreeCategoryFilter, p client.Page) ([]client.TreeCategory, error) {
			return c.TreeCategories.List(ctx, f, p)
		})),
		newOperation("POST /v3/catalog/trees/categories", send(func(c *client.Client, ctx context.Context, _ []int64, in []client.TreeCategoryUpdate) ([]client.TreeCategory, error) {
			return c.TreeCategories.Create(ctx, in)
		})),
		newOperation("PUT /v3/catalog/trees/categories", done(func(c *client.Client, ctx context.Context, _ []int64, in []client.TreeCategoryChange) error {
			return c.TreeCategories.Update(ctx, in)
		})),
		newOperation("DELETE /v3/catalog/trees/categories", removeBy(func(c *client.Client, ctx context.Context, _ []int64, d client.TreeCategoryDeletion) error {
			return c.TreeCategories.DeleteMany(ctx, d)
		})),
	}
}

// operationsOfPlacements are the methods that say where products are.
func operationsOfPlacements() []operation {
	return []operation{
		newOperation("GET /v3/catalog/products/channel-assignments", list(func(c *client.Client, ctx context.Context, f client.ProductChannelFilter, p client.Page) ([]client.ProductChannel, error) {
			return c.ProductChannels.List(ctx, f, p)
		})),
		newOperation("PUT /v3/catalog/products/channel-assignments", done(func(c *client.Client, ctx context.Context, _ []int64, in []client.ProductChannel) error {
			return c.ProductChannels.Put(ctx, in)
		})),
		newOperation("DELETE /v3/catalog/products/channel-assignments", removeBy(func(c *client.Client, ctx context.Context, _ []int64, f client.ProductChannelFilter) error {
			return c.ProductChannels.Delete(ctx, f)
		})),
		newOperation("GET /v3/catalog/products/category-assignments", list(func(c *client.Client, ctx context.Context, f client.ProductCategoryFilter, p client.Page) ([]client.ProductCategory, error) {
			return c.ProductCategories.List(ctx, f, p)
		})),
		newOperation("PUT /v3/catalog/products/category-assignments", done(func(c *client.Client, ctx context.Context, _ []int64, in []client.ProductCategory) error {
			return c.ProductCategories.Put(ctx, in)
		})),
		newOperation("DELETE /v3/catalog/products/category-assignments", removeBy(func(c *client.Client, ctx context.Context, _ []int64, f client.ProductCategoryFilter) error {
			return c.ProductCategories.Delete(ctx, f)
		})),
		newOperation("GET /v3/catalog/categories/{id}/products/sort-order", func(ctx context.Context, c *client.Client, in call) (any, error) {
			_, page, err := filterOf[struct{}](in.query)
			if err != nil {
				return nil, err
			}
			rows, err := c.Categories.ListPlaces(ctx, in.ids[0], page)
			return rows, err
		}),
		newOperation("PUT /v3/catalog/categories/{id}/products/sort-order", done(func(c *client.Client, ctx context.Context, ids []int64, in []client.ProductPlace) error {
			return c.Categories.PutPlaces(ctx, ids[0], in)
		})),
	}
}
