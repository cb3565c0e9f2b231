package client

import (
	"context"
	"iter"
	"net/http"
)

// maxPlacementsInCall is how many products one request assigns to channels or to categories,
// or sorts.
const maxPlacementsInCall = 1000

// ProductChannel says that a product is in a channel.
type ProductChannel struct {
	ProductID int64 `json:"product_id"`
	ChannelID int64 `json:"channel_id"`
}

// ProductChannelFilter selects products in channels. All fields that are set must match. An
// empty list does not filter.
type ProductChannelFilter struct {
	ProductIDs []int64 `query:"product_id:in"`
	ChannelIDs []int64 `query:"channel_id:in"`
}

// ProductCategory says that a product is in a category.
type ProductCategory struct {
	ProductID  int64 `json:"product_id"`
	CategoryID int64 `json:"category_id"`
}

// ProductCategoryFilter selects products in categories. All fields that are set must match. An
// empty list does not filter.
type ProductCategoryFilter struct {
	ProductIDs  []int64 `query:"product_id:in"`
	CategoryIDs []int64 `query:"category_id:in"`
}

// ProductPlace is the place of a product in a category.
type ProductPlace struct {
	ProductID int64 `json:"product_id"`
	// SortOrder is from 0, or null for none. Products without one come last.
	SortOrder Opt[int64] `json:"sort_order"`
}

// ProductChannelService has the operations on the channels of products, of V3.
type ProductChannelService struct{ service }

const productChannelsPath = productsPath + "/channel-assignments"

// List returns a page of products in channels.
func (s *ProductChannelService) List(ctx context.Context, f ProductChannelFilter, p Page) ([]ProductChannel, error) {
	return pageOf[ProductChannel](ctx, s.c, productChannelsPath, f, p)
}

// All yields all products in channels that match. Pages are read by number.
func (s *ProductChannelService) All(ctx context.Context, f ProductChannelFilter) iter.Seq2[ProductChannel, error] {
	return allOf(ctx, s.c, productChannelsPath, f, itself[ProductChannel])
}

// Put adds 1 to 1 000 products to channels: all of them, or none with a [*BatchError]. A
// product that is there already stays.
func (s *ProductChannelService) Put(ctx context.Context, products []ProductChannel) error {
	return putPlacements(ctx, s.c, productChannelsPath, products)
}

// PutAll adds any number of products to channels, 1 000 in a request, and yields the outcome
// of each.
func (s *ProductChannelService) PutAll(ctx context.Context, products []ProductChannel) iter.Seq[Result[ProductChannel]] {
	return putAllPlacements(ctx, products, s.Put)
}

// Delete removes the products that match from channels. An empty filter is an [ErrArgument].
func (s *ProductChannelService) Delete(ctx context.Context, f ProductChannelFilter) error {
	return deletePlacements(ctx, s.c, productChannelsPath, f)
}

// ProductCategoryService has the operations on the categories of products, of V3.
type ProductCategoryService struct{ service }

const productCategoriesPath = productsPath + "/category-assignments"

// List returns a page of products in categories.
func (s *ProductCategoryService) List(ctx context.Context, f ProductCategoryFilter, p Page) ([]ProductCategory, error) {
	return pageOf[ProductCategory](ctx, s.c, productCategoriesPath, f, p)
}

// All yields all products in categories that match. Pages are read by number.
func (s *ProductCategoryService) All(ctx context.Context, f ProductCategoryFilter) iter.Seq2[ProductCategory, error] {
	return allOf(ctx, s.c, productCategoriesPath, f, itself[ProductCategory])
}

// Put adds 1 to 1 000 products to categories: all of them, or none with a [*BatchError]. A
// product that is there already stays.
func (s *ProductCategoryService) Put(ctx context.Context, products []ProductCategory) error {
	return putPlacements(ctx, s.c, productCategoriesPath, products)
}

// PutAll adds any number of products to categories, 1 000 in a request, and yields the outcome
// of each.
func (s *ProductCategoryService) PutAll(ctx context.Context, products []ProductCategory) iter.Seq[Result[ProductCategory]] {
	return putAllPlacements(ctx, products, s.Put)
}

// Delete removes the products that match from categories. An empty filter is an [ErrArgument].
func (s *ProductCategoryService) Delete(ctx context.Context, f ProductCategoryFilter) error {
	return deletePlacements(ctx, s.c, productCategoriesPath, f)
}

func placesPath(category int64) string { return categoryPath(category) + "/products/sort-order" }

// ListPlaces returns a page of the products of a category in their order.
func (s *CategoryService) ListPlaces(ctx context.Context, category int64, p Page) ([]ProductPlace, error) {
	return pageOf[ProductPlace](ctx, s.c, placesPath(category), struct{}{}, p)
}

// AllPlaces yields all products of a category in their order. Pages are read by number.
func (s *CategoryService) AllPlaces(ctx context.Context, category int64) iter.Seq2[ProductPlace, error] {
	return allOf(ctx, s.c, placesPath(category), struct{}{}, func(p ProductPlace) int64 { return p.ProductID })
}

// PutPlaces sets the places of 1 to 1 000 products of a category: all of them, or none with a
// [*BatchError].
func (s *CategoryService) PutPlaces(ctx context.Context, category int64, places []ProductPlace) error {
	return putPlacements(ctx, s.c, placesPath(category), places)
}

// Tree returns the categories at the top of all trees, each with those below it.
func (s *CategoryService) Tree(ctx context.Context) ([]CategoryNode, error) {
	return getData[[]CategoryNode](ctx, s.c, request{method: http.MethodGet, path: categoriesPath + "/tree"})
}

// itself is the key of a row that is nothing but ids.
func itself[T comparable](row T) T { return row }

func putPlacements[T any](ctx context.Context, c *Client, path string, rows []T) error {
	if len(rows) < 1 || len(rows) > maxPlacementsInCall {
		return argument("PUT %s takes 1 to %d items, not %d", path, maxPlacementsInCall, len(rows))
	}
	return batchError(c.run(ctx, request{method: http.MethodPut, path: path, body: rows}), len(rows))
}

func putAllPlacements[T any](ctx context.Context, rows []T, put func(context.Context, []T) error) iter.Seq[Result[T]] {
	return inBatches(ctx, rows, maxPlacementsInCall, func(ctx context.Context, part []T) ([]T, error) {
		return part, put(ctx, part)
	})
}

func deletePlacements(ctx context.Context, c *Client, path string, filter any) error {
	q, err := deletionQuery(filter)
	if err != nil {
		return err
	}
	return c.run(ctx, request{method: http.MethodDelete, path: path, query: q})
}
