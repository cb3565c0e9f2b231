package apiv3

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

func (h *handler) productRoutes() []api.Route {
	return []api.Route{
		{Operation: "listProducts", Method: "GET", Path: "/catalog/products", Scope: read, Handle: h.listProducts},
		{Operation: "createProduct", Method: "POST", Path: "/catalog/products", Scope: modify, Handle: h.createProduct},
		{Operation: "updateProducts", Method: "PUT", Path: "/catalog/products", Scope: modify, Handle: h.updateProducts},
		{Operation: "deleteProducts", Method: "DELETE", Path: "/catalog/products", Scope: modify, Handle: h.deleteProducts},
		{Operation: "getProduct", Method: "GET", Path: "/catalog/products/{product_id}", Scope: read, Handle: h.getProduct},
		{Operation: "updateProduct", Method: "PUT", Path: "/catalog/products/{product_id}", Scope: modify, Handle: h.updateProduct},
		{Operation: "deleteProduct", Method: "DELETE", Path: "/catalog/products/{product_id}", Scope: modify, Handle: h.deleteProduct},
	}
}

// productFields has the fields of a body of a product.
var productFields = addDetails(api.Fields[cohort.ProductUpdate]{
	"id":                 nil,
	"name":               api.Optional(func(u *cohort.ProductUpdate) **string { return &u.Name }, readText),
	"type":               api.Optional(func(u *cohort.ProductUpdate) **cohort.ProductType { return &u.Type }, readText),
	"sku":                api.Optional(func(u *cohort.ProductUpdate) **string { return &u.SKU }, readText),
	"weight":             api.Optional(func(u *cohort.ProductUpdate) **decimal.Decimal { return &u.Weight }, texts.ReadAmount),
	"price":              api.Optional(func(u *cohort.ProductUpdate) **decimal.Decimal { return &u.Price }, texts.ReadAmount),
	"retail_price":       priceOrZero(func(u *cohort.ProductUpdate) **decimal.Decimal { return &u.RetailPrice }),
	"sale_price":         priceOrZero(func(u *cohort.ProductUpdate) **decimal.Decimal { return &u.SalePrice }),
	"map_price":          priceOrZero(func(u *cohort.ProductUpdate) **decimal.Decimal { return &u.MAPPrice }),
	"calculated_price":   nil,
	"categories":         api.Optional(func(u *cohort.ProductUpdate) **[]int64 { return &u.Categories }, readIDs),
	"base_variant_id":    nil,
	"date_created":       nil,
	"date_modified":      nil,
	"brand_id":           api.Optional(func(u *cohort.ProductUpdate) **int64 { return &u.BrandID }, texts.ReadIDOrNone),
	"brand_name":         api.Optional(func(u *cohort.ProductUpdate) **string { return &u.BrandName }, readText),
	"option_set_id":      nil, // the next six are only in responses
	"option_set_display": nil,
	"reviews_rating_sum": nil,
	"reviews_count":      nil,
	"total_sold":         nil,
	"date_last_imported": nil,
	"bulk_pricing_rules": api.Optional(func(u *cohort.ProductUpdate) **[]cohort.BulkTier { return &u.BulkTiers }, readTiers),
	// Not ignored: a client that sends variants expects the server to store them. A new
	// product may have them; see newProductFields.
	"variants": func(*cohort.ProductUpdate, api.Value) error {
		return cohort.Invalid("", "Variants are created and changed at their own path, below the product's.")
	},
}, cohort.ProductDetails, func(u *cohort.ProductUpdate) *cohort.Details { return &u.Details })

// productRequired has the required fields of a new product. Source: the vendor's
// reference.
var productRequired = []string{"name", "type", "weight", "price"}

// priceOrZero returns the function for a price that is 0 when it is unset. null and ""
// unset it.
func priceOrZero(field func(*cohort.ProductUpdate) **decimal.Decimal) func(*cohort.ProductUpdate, api.Value) error {
	return func(into *cohort.ProductUpdate, v api.Value) error {
		if v.IsNull() || v.Is("") {
			*field(into) = &decimal.Decimal{}
			return nil
		}
		d, err := texts.ReadAmount(v)
		*field(into) = &d
		return err
	}
}

// productQuery has the parameters of a list of products.
type productQuery struct {
	cohort.ProductFilter
	order  cohort.ProductOrder
	fields fieldSelection
	// The parts of a product that a response has only on request.
	variants, tiers bool
	parts           []string // names of includableParts
}

// productFilters has the filters of a deletion, which are those of a list.
var productFilters = func() filters[productQuery] {
	table := filters[productQuery]{
		"id":                     idFilter(func(q *productQuery) *[]int64 { return &q.IDs }),
		"id:in":                  idFilter(func(q *productQuery) *[]int64 { return &q.IDs }),
		"id:not_in":              idFilter(func(q *productQuery) *[]int64 { return &q.NotIDs }),
		"name":                   api.TextFilter(func(q *productQuery) **string { return &q.Name }),
		"name:like":              partFilter(func(q *productQuery) *string { return &q.NameLike }),
		"keyword":                partFilter(func(q *productQuery) *string { return &q.Keyword }),
		"sku":                    api.TextFilter(func(q *productQuery) **string { return &q.SKU }),
		"sku:in":                 wordFilter(func(q *productQuery) *[]string { return &q.SKUs }),
		"type":                   choiceFilter(func(q *productQuery) **cohort.ProductType { return &q.Type }, cohort.ProductPhysical, cohort.ProductDigital),
		"categories":             idFilter(func(q *productQuery) *[]int64 { return &q.Categories }),
		"categories:in":          idFilter(func(q *productQuery) *[]int64 { return &q.Categories }),
		"brand_id":               idFilter(func(q *productQuery) *[]int64 { return &q.Detail.BrandIDs }),
		"upc":                    api.TextFilter(func(q *productQuery) **string { return &q.Detail.UPC }),
		"mpn":                    api.TextFilter(func(q *productQuery) **string { return &q.Detail.MPN }),
		"condition":              conditionFilter,
		"availability":           choiceFilter(func(q *productQuery) **string { return &q.Detail.Availability }, "available", "disabled", "preorder"),
		"is_visible":             flagFilter(func(q *productQuery) **bool { return &q.Detail.IsVisible }),
		"is_featured":            flagFilter(func(q *productQuery) **bool { return &q.Detail.IsFeatured }),
		"is_free_shipping":       flagFilter(func(q *productQuery) **bool { return &q.Detail.IsFreeShipping }),
		"inventory_level":        idFilter(func(q *productQuery) *[]int64 { return &q.Detail.InventoryLevels }),
		"inventory_level:in":     idFilter(func(q *productQuery) *[]int64 { return &q.Detail.InventoryLevels }),
		"inventory_level:not_in": idFilter(func(q *productQuery) *[]int64 { return &q.Detail.NotInventoryLevels }),
		"inventory_low":          flagFilter(func(q *productQuery) **bool { return &q.Detail.LowInventory }),
		"out_of_stock":           flagFilter(func(q *productQuery) **bool { return &q.Detail.OutOfStock }),
		"channel_id:in":          idFilter(func(q *productQuery) *[]int64 { return &q.ChannelIDs }),
		"date_last_imported":     importedFilter(true),
	}
	dateFilters(table, "date_modified", func(q *productQuery) *cohort.TimeRange { return &q.DateModified })
	amountFilters(table, "price", func(q *productQuery) *cohort.AmountRange { return &q.Price })
	amountFilters(table, "weight", func(q *productQuery) *cohort.AmountRange { return &q.Weight })
	intFilters(table, "id", func(q *productQuery) *cohort.IntRange { return &q.IDRange })
	intFilters(table, "inventory_level", func(q *productQuery) *cohort.IntRange { return &q.Detail.InventoryLevel })
	return table
}()

// conditionFilter reads a condition, which the vendor's filter has in lower case.
func conditionFilter(q *productQuery, value string) error {
	for _, condition := range []string{"New", "Used", "Refurbished"} {
		if strings.EqualFold(value, condition) {
			q.Detail.Condition = &condition
			return nil
		}
	}
	return cohort.Invalid("", "The value must be one of: new, used, refurbished.")
}

// productSelection has the parameters that select the fields and parts of a product. The
// parameter "include" ignores unknown parts, because the vendor has parts that Cohort does
// not store.
var productSelection = func() filters[productQuery] {
	table := filters[productQuery]{
		"include": func(q *productQuery, value string) error {
			for part := range strings.SplitSeq(value, ",") {
				switch part = strings.TrimSpace(part); part {
				case "variants":
					q.variants = true
				case "bulk_pricing_rules":
					q.tiers = true
				default:
					q.addPart(part)
				}
			}
			return nil
		},
	}
	selectionFilters(table, productMembers, func(q *productQuery) *fieldSelection { return &q.fields })
	return table
}()

// productParameters has the parameters of a list.
var productParameters = func() filters[productQuery] {
	table := maps.Clone(productFilters)
	maps.Copy(table, productSelection)
	unsoldFilters(table)
	table["sort"] = sortFilter(func(q *productQuery) *cohort.ProductSort { return &q.order.By },
		cohort.SortProductsByID, cohort.SortProductsByName, cohort.SortProductsBySKU, cohort.SortProductsByPrice,
		cohort.SortProductsByCalculated, cohort.SortProductsByDateModified, cohort.SortProductsByInventory, cohort.SortProductsByVisibility,
		cohort.SortProductsBySales, cohort.SortProductsByImport)
	table["direction"] = directionFilter(func(q *productQuery) *bool { return &q.order.Descending })
	return table
}()

// readParts reads the parameters of a request for one product that select its fields and
// parts, and ignores the rest of the query string.
func readParts(r *api.Request) (q productQuery, err error) {
	return readSelected(r, productSelection)
}

// productMembers has the members of a product in the order of responses.
var productMembers = func() []member[cohort.Product] {
	details := detailMembers(cohort.ProductDetails, func(p *cohort.Product) cohort.Details { return p.Details }, map[string]func(*cohort.Product) json.RawMessage{
		"custom_url": func(p *cohort.Product) json.RawMessage { return defaultURL(NamedPath(p.Name)) },
	})
	detail := func(names ...string) (list []member[cohort.Product]) {
		for _, name := range names {
			i := slices.IndexFunc(details, func(m member[cohort.Product]) bool { return m.name == name })
			list = append(list, details[i])
		}
		return list
	}
	money := func(name string, of func(*cohort.Product) decimal.Decimal) member[cohort.Product] {
		return valueMember(name, func(p *cohort.Product) amount { return amount(of(p)) })
	}
	constant := func(name, value string) member[cohort.Product] {
		return member[cohort.Product]{name, func(dst []byte, _ *cohort.Product) ([]byte, error) { return append(dst, value...), nil }}
	}
	return slices.Concat(
		[]member[cohort.Product]{
			valueMember("id", func(p *cohort.Product) int64 { return p.ID }),
			valueMember("name", func(p *cohort.Product) string { return p.Name }),
			valueMember("type", func(p *cohort.Product) cohort.ProductType { return p.Type }),
			valueMember("sku", func(p *cohort.Product) string { return p.SKU }),
		},
		detail("description"),
		[]member[cohort.Product]{money("weight", func(p *cohort.Product) decimal.Decimal { return p.Weight })},
		detail("width", "depth", "height"),
		[]member[cohort.Product]{money("price", func(p *cohort.Product) decimal.Decimal { return p.Price })},
		detail("cost_price"),
		[]member[cohort.Product]{
			money("retail_price", func(p *cohort.Product) decimal.Decimal { return p.RetailPrice }),
			money("sale_price", func(p *cohort.Product) decimal.Decimal { return p.SalePrice }),
			money("map_price", func(p *cohort.Product) decimal.Decimal { return p.MAPPrice }),
		},
		detail("tax_class_id", "product_tax_code"),
		[]member[cohort.Product]{
			money("calculated_price", func(p *cohort.Product) decimal.Decimal { return p.CalculatedPrice() }),
			valueMember("categories", func(p *cohort.Product) []int64 { return append([]int64{}, p.Categories...) }),
			valueMember("brand_id", func(p *cohort.Product) int64 { return p.BrandID }),
			constant("option_set_id", "null"),
			constant("option_set_display", `"right"`),
		},
		detail("inventory_level", "inventory_warning_level", "inventory_tracking"),
		[]member[cohort.Product]{constant("reviews_rating_sum", "0"), constant("reviews_count", "0"), constant("total_sold", "0")},
		detail("fixed_cost_shipping_price", "is_free_shipping", "is_visible", "is_featured", "related_products", "warranty",
			"bin_picking_number", "layout_file", "upc", "mpn", "gtin"),
		[]member[cohort.Product]{constant("date_last_imported", "null")},
		detail("search_keywords", "availability", "availability_description", "gift_wrapping_options_type", "gift_wrapping_options_list",
			"sort_order", "condition", "is_condition_shown", "order_quantity_minimum", "order_quantity_maximum", "page_title",
			"meta_keywords", "meta_description"),
		[]member[cohort.Product]{
			valueMember("date_created", func(p *cohort.Product) string { return dateText(p.DateCreated) }),
			valueMember("date_modified", func(p *cohort.Product) string { return dateText(p.DateModified) }),
		},
		detail("view_count", "preorder_release_date", "preorder_message", "is_preorder_only", "is_price_hidden", "price_hidden_label", "custom_url"),
		[]member[cohort.Product]{valueMember("base_variant_id", func(p *cohort.Product) int64 { return p.BaseVariantID })},
		detail("open_graph_type", "open_graph_title", "open_graph_description", "open_graph_use_meta_description",
			"open_graph_use_product_name", "open_graph_use_image"),
	)
}()

// tiersMember is a part of a product that a response has only on request.
var tiersMember = valueMember("bulk_pricing_rules", func(p *cohort.Product) []tierWire { return tiersToWire(p.BulkTiers) })

// members are the selected members, except the variants.
func (q *productQuery) members() []member[cohort.Product] {
	members := selected(q.fields, productMembers)
	if q.tiers {
		members = append(slices.Clip(members), tiersMember)
	}
	return append(slices.Clip(members), q.partMembers()...)
}

// toWire returns the function that converts a product with the selected fields and parts,
// except the variants.
func (q *productQuery) toWire() func(cohort.Product) object[cohort.Product] {
	members := q.members()
	return func(p cohort.Product) object[cohort.Product] { return object[cohort.Product]{members, p} }
}

func (h *handler) listProducts(w http.ResponseWriter, r *api.Request) error {
	query, page, err := decodeQuery(r, productParameters)
	if err != nil {
		return err
	}
	if query.variants {
		return h.writeProductsWithVariants(w, r, query, page)
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Product]) (int64, error) {
		return h.svc.ReadProducts(ctx, r.Store.Key, query.ProductFilter, query.order, p, to)
	}
	return writeCollection(w, r, page, read, query.toWire(), query.order.Key)
}

func (h *handler) createProduct(w http.ResponseWriter, r *api.Request) error {
	parts, err := readParts(r)
	if err != nil {
		return err
	}
	u, err := decodeBody(r, newProductFields, productRequired...)
	if err != nil {
		return err
	}
	p, err := h.svc.CreateProduct(r.Context(), r.Store.Key, u.Apply(cohort.Product{}), u.variants...)
	if err != nil {
		return inPart(err)
	}
	if parts.variants {
		return h.writeProductWithVariants(w, r, p.ID, parts)
	}
	if p, err = h.withParts(r, parts, p); err != nil {
		return err
	}
	return writeSingle(w, parts.toWire()(p))
}

func (h *handler) deleteProducts(w http.ResponseWriter, r *api.Request) error {
	query, err := decodeDeletion(r, productFilters)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteProducts(r.Context(), r.Store.Key, query.ProductFilter); err != nil {
		return err
	}
	return noContent(w)
}

func (h *handler) getProduct(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("product_id")
	if err != nil {
		return err
	}
	parts, err := readParts(r)
	if err != nil {
		return err
	}
	if parts.variants {
		return h.writeProductWithVariants(w, r, id, parts)
	}
	p, err := h.svc.ProductWith(r.Context(), r.Store.Key, id, parts.With)
	if err != nil {
		return err
	}
	return writeSingle(w, parts.toWire()(p))
}

func (h *handler) updateProduct(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("product_id")
	if err != nil {
		return err
	}
	parts, err := readParts(r)
	if err != nil {
		return err
	}
	u, err := decodeBody(r, productFields)
	if err != nil {
		return err
	}
	p, err := h.svc.UpdateProduct(r.Context(), r.Store.Key, id, u)
	if err != nil {
		return err
	}
	if parts.variants {
		return h.writeProductWithVariants(w, r, id, parts)
	}
	if p, err = h.withParts(r, parts, p); err != nil {
		return err
	}
	return writeSingle(w, parts.toWire()(p))
}

func (h *handler) deleteProduct(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("product_id")
	if err != nil {
		return err
	}
	if err := h.svc.DeleteProduct(r.Context(), r.Store.Key, id); err != nil {
		return err
	}
	return noContent(w)
}
