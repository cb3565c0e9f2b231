package apiv3

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

func (h *handler) productRoutes() []api.Route {
	return []api.Route{
		{Operation: "listProducts", Method: "GET", Path: "/catalog/products", Scope: read, Handle: h.listProducts},
		{Operation: "createProduct", Method: "POST", Path: "/catalog/products", Scope: modify, Handle: h.createProduct},
		{Operation: "deleteProducts", Method: "DELETE", Path: "/catalog/products", Scope: modify, Handle: h.deleteProducts},
		{Operation: "getProduct", Method: "GET", Path: "/catalog/products/{product_id}", Scope: read, Handle: h.getProduct},
		{Operation: "updateProduct", Method: "PUT", Path: "/catalog/products/{product_id}", Scope: modify, Handle: h.updateProduct},
		{Operation: "deleteProduct", Method: "DELETE", Path: "/catalog/products/{product_id}", Scope: modify, Handle: h.deleteProduct},
	}
}

// productFields has the fields of a body of a product.
var productFields = api.Fields[cohort.ProductUpdate]{
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
	"bulk_pricing_rules": api.Optional(func(u *cohort.ProductUpdate) **[]cohort.BulkTier { return &u.BulkTiers }, readTiers),
	// Not ignored: a client that sends variants expects the server to store them.
	"variants": func(*cohort.ProductUpdate, api.Value) error {
		return cohort.Invalid("", "Variants are created and changed at their own path, below the product's.")
	},
}

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
	productParts
}

// productParts are the parts of a product that a response has only on request.
type productParts struct{ variants, tiers bool }

var productFilters = newProductFilters()

func newProductFilters() filters[cohort.ProductFilter] {
	table := filters[cohort.ProductFilter]{
		"id":                idFilter(func(f *cohort.ProductFilter) *[]int64 { return &f.IDs }),
		"id:in":             idFilter(func(f *cohort.ProductFilter) *[]int64 { return &f.IDs }),
		"name":              api.TextFilter(func(f *cohort.ProductFilter) **string { return &f.Name }),
		"name:like":         partFilter(func(f *cohort.ProductFilter) *string { return &f.NameLike }),
		"sku":               api.TextFilter(func(f *cohort.ProductFilter) **string { return &f.SKU }),
		"sku:in":            wordFilter(func(f *cohort.ProductFilter) *[]string { return &f.SKUs }),
		"categories":        idFilter(func(f *cohort.ProductFilter) *[]int64 { return &f.Categories }),
		"categories:in":     idFilter(func(f *cohort.ProductFilter) *[]int64 { return &f.Categories }),
		"date_modified":     api.DateFilter(func(f *cohort.ProductFilter) *cohort.TimeRange { return &f.DateModified }, api.OnDate),
		"date_modified:min": api.DateFilter(func(f *cohort.ProductFilter) *cohort.TimeRange { return &f.DateModified }, api.FromDate),
		"date_modified:max": api.DateFilter(func(f *cohort.ProductFilter) *cohort.TimeRange { return &f.DateModified }, api.UntilDate),
	}
	amountFilters(table, "price", func(f *cohort.ProductFilter) *cohort.AmountRange { return &f.Price })
	return table
}

// productParameters has the filters and the parameter "include".
var productParameters = func() filters[productQuery] {
	table := filters[productQuery]{
		"include": func(q *productQuery, value string) error {
			q.productParts = includedParts(value)
			return nil
		},
	}
	for name, set := range productFilters {
		table[name] = func(q *productQuery, value string) error { return set(&q.ProductFilter, value) }
	}
	return table
}()

// includedParts reads the value of "include". It ignores unknown parts, because the
// vendor has parts that Cohort does not store.
func includedParts(value string) (parts productParts) {
	for part := range strings.SplitSeq(value, ",") {
		switch strings.TrimSpace(part) {
		case "variants":
			parts.variants = true
		case "bulk_pricing_rules":
			parts.tiers = true
		}
	}
	return parts
}

// readParts reads the parameter "include" of a request for one product and ignores
// the rest of the query string.
func readParts(r *api.Request) (parts productParts, err error) {
	params, err := api.ParseQuery(r.URL.RawQuery)
	for _, p := range params {
		if p.Name == "include" {
			parts = includedParts(p.Value)
		}
	}
	return parts, err
}

// productWire is a product in responses.
type productWire struct {
	ID              int64              `json:"id"`
	Name            string             `json:"name"`
	Type            cohort.ProductType `json:"type"`
	SKU             string             `json:"sku"`
	Weight          amount             `json:"weight"`
	Price           amount             `json:"price"`
	RetailPrice     amount             `json:"retail_price"`
	SalePrice       amount             `json:"sale_price"`
	MAPPrice        amount             `json:"map_price"`
	CalculatedPrice amount             `json:"calculated_price"`
	Categories      []int64            `json:"categories"`
	BaseVariantID   int64              `json:"base_variant_id"`
	DateCreated     string             `json:"date_created"`
	DateModified    string             `json:"date_modified"`
	BulkTiers       *[]tierWire        `json:"bulk_pricing_rules,omitempty"`
	Variants        *[]variantWire     `json:"variants,omitempty"`
}

// toWire converts a product with the requested parts, except the variants.
func (parts productParts) toWire(p cohort.Product) productWire {
	w := productWire{
		ID: p.ID, Name: p.Name, Type: p.Type, SKU: p.SKU, Weight: amount(p.Weight), Price: amount(p.Price),
		RetailPrice: amount(p.RetailPrice), SalePrice: amount(p.SalePrice), MAPPrice: amount(p.MAPPrice),
		CalculatedPrice: amount(p.CalculatedPrice()), Categories: append([]int64{}, p.Categories...), BaseVariantID: p.BaseVariantID,
		DateCreated: dateText(p.DateCreated), DateModified: dateText(p.DateModified),
	}
	if parts.tiers {
		w.BulkTiers = new(tiersToWire(p.BulkTiers))
	}
	return w
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
		return h.svc.ReadProducts(ctx, r.Store.Key, query.ProductFilter, p, to)
	}
	return writeCollection(w, r, page, read, query.toWire, func(p cohort.Product) string { return strconv.FormatInt(p.ID, 10) })
}

func (h *handler) createProduct(w http.ResponseWriter, r *api.Request) error {
	parts, err := readParts(r)
	if err != nil {
		return err
	}
	u, err := decodeBody(r, productFields, productRequired...)
	if err != nil {
		return err
	}
	p, err := h.svc.CreateProduct(r.Context(), r.Store.Key, u.Apply(cohort.Product{}))
	if err != nil {
		return err
	}
	wire := parts.toWire(p)
	if parts.variants {
		wire.Variants = &[]variantWire{variantToWire(service.CatalogVariant{Variant: p.BaseVariant(), Product: p})}
	}
	return writeSingle(w, wire)
}

func (h *handler) deleteProducts(w http.ResponseWriter, r *api.Request) error {
	filter, err := decodeDeletion(r, productFilters)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteProducts(r.Context(), r.Store.Key, filter); err != nil {
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
	p, err := h.svc.Product(r.Context(), r.Store.Key, id)
	if err != nil {
		return err
	}
	return writeSingle(w, parts.toWire(p))
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
	return writeSingle(w, parts.toWire(p))
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
