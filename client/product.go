package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
)

// maxProductsInCall is how many products one request changes.
const maxProductsInCall = 10

// Product is a product of the catalog. Prices are in the currency of the store, weights and
// sizes in its units.
type Product struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	// Type is "physical" or "digital".
	Type           string `json:"type"`
	SKU            string `json:"sku"`
	Description    string `json:"description"` // HTML
	Weight         Amount `json:"weight"`
	Width          Amount `json:"width"`
	Depth          Amount `json:"depth"`
	Height         Amount `json:"height"`
	Price          Amount `json:"price"`
	CostPrice      Amount `json:"cost_price"`
	RetailPrice    Amount `json:"retail_price"` // this and the next two: 0 if unset
	SalePrice      Amount `json:"sale_price"`
	MAPPrice       Amount `json:"map_price"`
	TaxClassID     int64  `json:"tax_class_id"`
	ProductTaxCode string `json:"product_tax_code"`
	// CalculatedPrice is the price or the sale price.
	CalculatedPrice Amount  `json:"calculated_price"`
	CategoryIDs     []int64 `json:"categories"`
	// BrandID is 0 for a product without a brand.
	BrandID               int64      `json:"brand_id"`
	OptionSetID           Opt[int64] `json:"option_set_id,omitzero"`
	OptionSetDisplay      string     `json:"option_set_display"`
	InventoryLevel        int64      `json:"inventory_level"`
	InventoryWarningLevel int64      `json:"inventory_warning_level"`
	// InventoryTracking is "none", "product" or "variant".
	InventoryTracking      string `json:"inventory_tracking"`
	ReviewsRatingSum       int64  `json:"reviews_rating_sum"`
	ReviewsCount           int64  `json:"reviews_count"`
	TotalSold              int64  `json:"total_sold"`
	FixedCostShippingPrice Amount `json:"fixed_cost_shipping_price"`
	IsFreeShipping         bool   `json:"is_free_shipping"`
	IsVisible              bool   `json:"is_visible"`
	IsFeatured             bool   `json:"is_featured"`
	// RelatedProducts are ids, or -1 for those that the storefront finds itself.
	RelatedProducts  []int64 `json:"related_products"`
	Warranty         string  `json:"warranty"`
	BinPickingNumber string  `json:"bin_picking_number"`
	LayoutFile       string  `json:"layout_file"`
	UPC              string  `json:"upc"`
	MPN              string  `json:"mpn"`
	GTIN             string  `json:"gtin"`
	DateLastImported Time    `json:"date_last_imported"`
	SearchKeywords   string  `json:"search_keywords"`
	// Availability is "available", "disabled" or "preorder".
	Availability            string `json:"availability"`
	AvailabilityDescription string `json:"availability_description"`
	// GiftWrapping is "any", "none" or "list", which is GiftWrappingIDs.
	GiftWrapping    string  `json:"gift_wrapping_options_type"`
	GiftWrappingIDs []int64 `json:"gift_wrapping_options_list"`
	SortOrder       int64   `json:"sort_order"`
	// Condition is "New", "Used" or "Refurbished".
	Condition            string     `json:"condition"`
	IsConditionShown     bool       `json:"is_condition_shown"`
	OrderQuantityMinimum int64      `json:"order_quantity_minimum"` // 0: none
	OrderQuantityMaximum int64      `json:"order_quantity_maximum"` // 0: none
	PageTitle            string     `json:"page_title"`
	MetaKeywords         []string   `json:"meta_keywords"`
	MetaDescription      string     `json:"meta_description"`
	DateCreated          Time       `json:"date_created"`
	DateModified         Time       `json:"date_modified"`
	ViewCount            int64      `json:"view_count"`
	PreorderReleaseDate  Time       `json:"preorder_release_date"`
	PreorderMessage      string     `json:"preorder_message"`
	IsPreorderOnly       bool       `json:"is_preorder_only"`
	IsPriceHidden        bool       `json:"is_price_hidden"`
	PriceHiddenLabel     string     `json:"price_hidden_label"`
	CustomURL            CatalogURL `json:"custom_url,omitzero"`
	// BaseVariantID is the id of the variant without option values.
	BaseVariantID int64 `json:"base_variant_id"`
	// OpenGraphType is "product", "album", "book", "drink", "food", "game", "movie", "song"
	// or "tv_show".
	OpenGraphType               string `json:"open_graph_type"`
	OpenGraphTitle              string `json:"open_graph_title"`
	OpenGraphDescription        string `json:"open_graph_description"`
	OpenGraphUseMetaDescription bool   `json:"open_graph_use_meta_description"`
	OpenGraphUseProductName     bool   `json:"open_graph_use_product_name"`
	OpenGraphUseImage           bool   `json:"open_graph_use_image"`
	ProductParts
}

// ProductParts are the parts of a product that a response has with Include only.
type ProductParts struct {
	BulkTiers    Opt[[]BulkTier]      `json:"bulk_pricing_rules,omitzero"`
	CustomFields Opt[[]CustomField]   `json:"custom_fields,omitzero"`
	Images       Opt[[]ProductImage]  `json:"images,omitzero"`
	PrimaryImage Opt[ProductImage]    `json:"primary_image,omitzero"` // null if there is none
	Videos       Opt[[]ProductVideo]  `json:"videos,omitzero"`
	Options      Opt[[]ProductOption] `json:"options,omitzero"`
	Modifiers    Opt[[]ProductOption] `json:"modifiers,omitzero"`
	ChannelIDs   Opt[[]int64]         `json:"channels,omitzero"`
	Variants     Opt[[]Variant]       `json:"variants,omitzero"`
}

// CustomField is a name and a value that a product shows. Both together are unique in it.
type CustomField struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ProductImage is an image of a product.
type ProductImage struct {
	ID           int64  `json:"id"`
	ProductID    int64  `json:"product_id"`
	IsThumbnail  bool   `json:"is_thumbnail"`
	SortOrder    int64  `json:"sort_order"`
	Description  string `json:"description"`
	ImageFile    string `json:"image_file,omitempty"`
	ImageURL     string `json:"image_url"`
	URLZoom      string `json:"url_zoom"`
	URLStandard  string `json:"url_standard"`
	URLThumbnail string `json:"url_thumbnail"`
	URLTiny      string `json:"url_tiny"`
	DateModified Time   `json:"date_modified"`
}

// ProductVideo is a video of a product.
type ProductVideo struct {
	ID        int64  `json:"id"`
	ProductID int64  `json:"product_id"`
	Type      string `json:"type"` // "youtube"
	// VideoID is the id at the host.
	VideoID     string `json:"video_id"`
	SortOrder   int64  `json:"sort_order"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Length      string `json:"length"`
}

// ProductOption is an option of a product, whose values make variants, or a modifier.
type ProductOption struct {
	ID          int64  `json:"id"`
	ProductID   int64  `json:"product_id"`
	Name        string `json:"name"` // unique in the store
	DisplayName string `json:"display_name"`
	Type        string `json:"type"`
	Required    bool   `json:"required"` // of modifiers
	SortOrder   int64  `json:"sort_order"`
	// Config is an object whose fields depend on the type.
	Config   json.RawMessage      `json:"config"`
	ImageURL string               `json:"image_url"` // of options
	Values   []ProductOptionValue `json:"option_values"`
}

// ProductOptionValue is a value of an option or of a modifier.
type ProductOptionValue struct {
	ID        int64  `json:"id"`
	OptionID  int64  `json:"option_id"` // of modifiers
	Label     string `json:"label"`
	IsDefault bool   `json:"is_default"`
	SortOrder int64  `json:"sort_order"`
	// ValueData is an object whose fields depend on the type, or null.
	ValueData json.RawMessage `json:"value_data"`
	// Adjusters is an object with what a modifier changes, such as the price.
	Adjusters json.RawMessage `json:"adjusters"`
}

// ProductUpdate has the fields of a product to set. A new product needs Name, Type, Weight
// and Price. A list replaces the one of the product.
type ProductUpdate struct {
	Name           Opt[string]  `json:"name,omitzero"`
	Type           Opt[string]  `json:"type,omitzero"`
	SKU            Opt[string]  `json:"sku,omitzero"`
	Description    Opt[string]  `json:"description,omitzero"`
	Weight         Opt[Amount]  `json:"weight,omitzero"`
	Width          Opt[Amount]  `json:"width,omitzero"`
	Depth          Opt[Amount]  `json:"depth,omitzero"`
	Height         Opt[Amount]  `json:"height,omitzero"`
	Price          Opt[Amount]  `json:"price,omitzero"`
	CostPrice      Opt[Amount]  `json:"cost_price,omitzero"`
	RetailPrice    Opt[Amount]  `json:"retail_price,omitzero"`
	SalePrice      Opt[Amount]  `json:"sale_price,omitzero"`
	MAPPrice       Opt[Amount]  `json:"map_price,omitzero"`
	TaxClassID     Opt[int64]   `json:"tax_class_id,omitzero"`
	ProductTaxCode Opt[string]  `json:"product_tax_code,omitzero"`
	CategoryIDs    Opt[[]int64] `json:"categories,omitzero"` // at most 1 000
	// BrandID or BrandName may be set. A brand with a new name is created.
	BrandID                     Opt[int64]             `json:"brand_id,omitzero"`
	BrandName                   Opt[string]            `json:"brand_name,omitzero"`
	InventoryLevel              Opt[int64]             `json:"inventory_level,omitzero"`
	InventoryWarningLevel       Opt[int64]             `json:"inventory_warning_level,omitzero"`
	InventoryTracking           Opt[string]            `json:"inventory_tracking,omitzero"`
	FixedCostShippingPrice      Opt[Amount]            `json:"fixed_cost_shipping_price,omitzero"`
	IsFreeShipping              Opt[bool]              `json:"is_free_shipping,omitzero"`
	IsVisible                   Opt[bool]              `json:"is_visible,omitzero"`
	IsFeatured                  Opt[bool]              `json:"is_featured,omitzero"`
	RelatedProducts             Opt[[]int64]           `json:"related_products,omitzero"`
	Warranty                    Opt[string]            `json:"warranty,omitzero"`
	BinPickingNumber            Opt[string]            `json:"bin_picking_number,omitzero"`
	LayoutFile                  Opt[string]            `json:"layout_file,omitzero"`
	UPC                         Opt[string]            `json:"upc,omitzero"`
	MPN                         Opt[string]            `json:"mpn,omitzero"`
	GTIN                        Opt[string]            `json:"gtin,omitzero"`
	SearchKeywords              Opt[string]            `json:"search_keywords,omitzero"`
	Availability                Opt[string]            `json:"availability,omitzero"`
	AvailabilityDescription     Opt[string]            `json:"availability_description,omitzero"`
	GiftWrapping                Opt[string]            `json:"gift_wrapping_options_type,omitzero"`
	GiftWrappingIDs             Opt[[]int64]           `json:"gift_wrapping_options_list,omitzero"`
	SortOrder                   Opt[int64]             `json:"sort_order,omitzero"`
	Condition                   Opt[string]            `json:"condition,omitzero"`
	IsConditionShown            Opt[bool]              `json:"is_condition_shown,omitzero"`
	OrderQuantityMinimum        Opt[int64]             `json:"order_quantity_minimum,omitzero"`
	OrderQuantityMaximum        Opt[int64]             `json:"order_quantity_maximum,omitzero"`
	PageTitle                   Opt[string]            `json:"page_title,omitzero"`
	MetaKeywords                Opt[[]string]          `json:"meta_keywords,omitzero"`
	MetaDescription             Opt[string]            `json:"meta_description,omitzero"`
	ViewCount                   Opt[int64]             `json:"view_count,omitzero"`
	PreorderReleaseDate         Opt[Time]              `json:"preorder_release_date,omitzero"`
	PreorderMessage             Opt[string]            `json:"preorder_message,omitzero"`
	IsPreorderOnly              Opt[bool]              `json:"is_preorder_only,omitzero"`
	IsPriceHidden               Opt[bool]              `json:"is_price_hidden,omitzero"`
	PriceHiddenLabel            Opt[string]            `json:"price_hidden_label,omitzero"`
	CustomURL                   Opt[CatalogURL]        `json:"custom_url,omitzero"`
	OpenGraphType               Opt[string]            `json:"open_graph_type,omitzero"`
	OpenGraphTitle              Opt[string]            `json:"open_graph_title,omitzero"`
	OpenGraphDescription        Opt[string]            `json:"open_graph_description,omitzero"`
	OpenGraphUseMetaDescription Opt[bool]              `json:"open_graph_use_meta_description,omitzero"`
	OpenGraphUseProductName     Opt[bool]              `json:"open_graph_use_product_name,omitzero"`
	OpenGraphUseImage           Opt[bool]              `json:"open_graph_use_image,omitzero"`
	BulkTiers                   Opt[[]BulkTier]        `json:"bulk_pricing_rules,omitzero"`
	CustomFields                Opt[[]CustomFieldPut]  `json:"custom_fields,omitzero"`
	Images                      Opt[[]ProductImagePut] `json:"images,omitzero"`
	Videos                      Opt[[]ProductVideoPut] `json:"videos,omitzero"`
}

// CustomFieldPut is an entry of the list of custom fields. One with the id of an entry of the
// product keeps the fields that are absent; a new one needs both.
type CustomFieldPut struct {
	ID    int64       `json:"id,omitempty"`
	Name  Opt[string] `json:"name,omitzero"`  // 1 to 250 characters
	Value Opt[string] `json:"value,omitzero"` // 1 to 250 characters
}

// ProductImagePut is an entry of the list of images. One with the id of an entry of the
// product keeps the fields that are absent; a new one needs ImageURL.
type ProductImagePut struct {
	ID          int64       `json:"id,omitempty"`
	ImageURL    Opt[string] `json:"image_url,omitzero"` // 1 to 255 characters
	IsThumbnail Opt[bool]   `json:"is_thumbnail,omitzero"`
	SortOrder   Opt[int64]  `json:"sort_order,omitzero"`
	Description Opt[string] `json:"description,omitzero"`
}

// ProductVideoPut is an entry of the list of videos. One with the id of an entry of the
// product keeps the fields that are absent; a new one needs VideoID.
type ProductVideoPut struct {
	ID          int64       `json:"id,omitempty"`
	Type        Opt[string] `json:"type,omitzero"`     // "youtube"
	VideoID     Opt[string] `json:"video_id,omitzero"` // 1 to 25 characters
	SortOrder   Opt[int64]  `json:"sort_order,omitzero"`
	Title       Opt[string] `json:"title,omitzero"` // to 255 characters
	Description Opt[string] `json:"description,omitzero"`
}

// ProductCreate is a new product.
type ProductCreate struct {
	ProductUpdate
	// Variants are created with their options. Each needs OptionValues with labels and names.
	Variants []VariantUpdate `json:"variants,omitempty"`
}

// ProductChange has the fields of a product to set, in a batch.
type ProductChange struct {
	ID int64 `json:"id"`
	ProductUpdate
}

// ProductFilter selects products. All fields that are set must match. An empty list does not
// filter.
type ProductFilter struct {
	IDs      []int64     `query:"id:in"`
	NotIDs   []int64     `query:"id:not_in"`
	IDRange  IntRange    `query:"id"`
	Name     Opt[string] `query:"name"`
	NameLike string      `query:"name:like"`
	Keyword  string      `query:"keyword"`
	SKU      Opt[string] `query:"sku"`
	SKUs     []string    `query:"sku:in"`
	Type     string      `query:"type"`
	// CategoryIDs are categories of which a product is in one; those below them do not count.
	CategoryIDs        []int64     `query:"categories:in"`
	BrandID            Opt[int64]  `query:"brand_id"`
	UPC                Opt[string] `query:"upc"`
	MPN                Opt[string] `query:"mpn"`
	Condition          string      `query:"condition"` // "new", "used" or "refurbished"
	Availability       string      `query:"availability"`
	IsVisible          Opt[bool]   `query:"is_visible"`
	IsFeatured         Opt[bool]   `query:"is_featured" form:"digit"`
	IsFreeShipping     Opt[bool]   `query:"is_free_shipping" form:"digit"`
	InventoryLevels    []int64     `query:"inventory_level:in"`
	NotInventoryLevels []int64     `query:"inventory_level:not_in"`
	InventoryRange     IntRange    `query:"inventory_level"`
	InventoryLow       Opt[bool]   `query:"inventory_low" form:"digit"` // at or below the warning level
	OutOfStock         Opt[bool]   `query:"out_of_stock" form:"digit"`
	Price              Opt[Amount] `query:"price"`
	PriceRange         AmountRange `query:"price"`
	Weight             Opt[Amount] `query:"weight"`
	WeightRange        AmountRange `query:"weight"`
	Modified           TimeRange   `query:"date_modified"`
	ChannelIDs         []int64     `query:"channel_id:in"`

	// The fields below are for lists. With one of them a deletion is an [ErrArgument].

	// Include has the parts of products to read: "variants", "bulk_pricing_rules",
	// "custom_fields", "images", "primary_image", "videos", "options", "modifiers",
	// "channels".
	Include []string `query:"include"`
	// Sort is "id", "name", "sku", "price", "calculated_price", "date_modified",
	// "inventory_level" or "is_visible", and others of the vendor; "" is by id.
	Sort string `query:"sort"`
	// Direction is "asc" or "desc"; "" is ascending.
	Direction string `query:"direction"`
	// Fields are the names of the fields to return besides the id; empty is all.
	Fields []string `query:"include_fields"`
	// ExcludeFields are the names of fields to leave out.
	ExcludeFields []string `query:"exclude_fields"`
}

// ProductService has the operations on products, of V3.
type ProductService struct{ service }

const productsPath = catalogPath + "/products"

func productPath(id int64) string { return fmt.Sprintf("%s/%d", productsPath, id) }

// List returns a page of products.
func (s *ProductService) List(ctx context.Context, f ProductFilter, p Page) ([]Product, error) {
	return pageOf[Product](ctx, s.c, productsPath, f, p)
}

// All yields all products that match. Pages are read by cursor.
func (s *ProductService) All(ctx context.Context, f ProductFilter) iter.Seq2[Product, error] {
	return allOf(ctx, s.c, productsPath, f, func(p Product) int64 { return p.ID })
}

// Get returns a product. Include is that of [ProductFilter].
func (s *ProductService) Get(ctx context.Context, id int64, include ...string) (Product, error) {
	q, err := params(ProductFilter{Include: include})
	if err != nil {
		return Product{}, err
	}
	return getData[Product](ctx, s.c, request{method: http.MethodGet, path: productPath(id), query: q})
}

// Create creates a product with its base variant. The SKU of another variant is an
// [ErrConflict].
func (s *ProductService) Create(ctx context.Context, p ProductCreate) (Product, error) {
	return getData[Product](ctx, s.c, request{method: http.MethodPost, path: productsPath, body: p, creates: true})
}

// Update changes a product and returns it. The SKU of another variant is an [ErrConflict].
func (s *ProductService) Update(ctx context.Context, id int64, u ProductUpdate) (Product, error) {
	return getData[Product](ctx, s.c, request{method: http.MethodPut, path: productPath(id), body: u})
}

// UpdateMany changes 1 to 10 products: all of them, or none with a [*BatchError]. The vendor's
// service may change a part of them. The products that it has changed are then returned beside
// an [ErrResponse].
func (s *ProductService) UpdateMany(ctx context.Context, products []ProductChange) ([]Product, error) {
	r := request{method: http.MethodPut, path: productsPath, body: products}
	return writeWhole[Product](ctx, s.c, r, len(products), maxProductsInCall)
}

// writeWhole is writeBatch for a service that may do a part of a batch, with a status that is
// no error. Fewer items in the response are an [ErrResponse].
func writeWhole[T any](ctx context.Context, c *Client, r request, size, most int) ([]T, error) {
	done, err := writeBatch[T](ctx, c, r, size, most)
	if err == nil && len(done) != size {
		err = fmt.Errorf("client: %s %s: %w: %d items were sent, and %d came back", r.method, r.path, ErrResponse, size, len(done))
	}
	return done, err
}

// UpdateAll changes any number of products, ten in a request, and yields the outcome of each.
func (s *ProductService) UpdateAll(ctx context.Context, products []ProductChange) iter.Seq[Result[Product]] {
	return inBatches(ctx, products, maxProductsInCall, s.UpdateMany)
}

// Delete deletes a product with its variants and their price records.
func (s *ProductService) Delete(ctx context.Context, id int64) error {
	return s.c.run(ctx, request{method: http.MethodDelete, path: productPath(id)})
}

// DeleteMany deletes the products that match, with their variants and price records. An empty
// filter is an [ErrArgument].
func (s *ProductService) DeleteMany(ctx context.Context, f ProductFilter) error {
	q, err := deletionQuery(f)
	if err != nil {
		return err
	}
	return s.c.run(ctx, request{method: http.MethodDelete, path: productsPath, query: q})
}
