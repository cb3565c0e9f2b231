package apiv3

import (
	"context"
	"net/http"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
)

func (h *handler) variantRoutes() []api.Route {
	return []api.Route{
		{Operation: "listVariants", Method: "GET", Path: "/catalog/variants", Scope: read, Handle: h.listVariants},
		{Operation: "listVariantsOfProduct", Method: "GET", Path: "/catalog/products/{product_id}/variants", Scope: read, Handle: h.listVariantsOfProduct},
		{Operation: "createVariant", Method: "POST", Path: "/catalog/products/{product_id}/variants", Scope: modify, Handle: h.createVariant},
		{Operation: "getVariant", Method: "GET", Path: "/catalog/products/{product_id}/variants/{variant_id}", Scope: read, Handle: h.getVariant},
		{Operation: "updateVariant", Method: "PUT", Path: "/catalog/products/{product_id}/variants/{variant_id}", Scope: modify, Handle: h.updateVariant},
		{Operation: "deleteVariant", Method: "DELETE", Path: "/catalog/products/{product_id}/variants/{variant_id}", Scope: modify, Handle: h.deleteVariant},
	}
}

// variantFields has the fields of a body of a variant.
var variantFields = api.Fields[cohort.VariantUpdate]{
	"id":               nil,
	"product_id":       nil,
	"sku":              api.Optional(func(u *cohort.VariantUpdate) **string { return &u.SKU }, readText),
	"price":            updatedPrice(func(u *cohort.VariantUpdate) **decimal.NullDecimal { return &u.Price }),
	"sale_price":       updatedPrice(func(u *cohort.VariantUpdate) **decimal.NullDecimal { return &u.SalePrice }),
	"retail_price":     updatedPrice(func(u *cohort.VariantUpdate) **decimal.NullDecimal { return &u.RetailPrice }),
	"map_price":        updatedPrice(func(u *cohort.VariantUpdate) **decimal.NullDecimal { return &u.MAPPrice }),
	"calculated_price": nil,
	"option_values":    api.Optional(func(u *cohort.VariantUpdate) **[]cohort.OptionValue { return &u.OptionValues }, readOptions),
}

// updatedPrice returns the function for a price of an update. null and "" unset it.
func updatedPrice(field func(*cohort.VariantUpdate) **decimal.NullDecimal) func(*cohort.VariantUpdate, api.Value) error {
	return func(into *cohort.VariantUpdate, v api.Value) error {
		value := &decimal.NullDecimal{}
		*field(into) = value
		return price(func(*cohort.VariantUpdate) *decimal.NullDecimal { return value })(into, v)
	}
}

var optionFields = api.Fields[cohort.OptionValue]{
	"id":        api.Plain(func(o *cohort.OptionValue) *int64 { return &o.ValueID }, texts.ReadID),
	"option_id": api.Plain(func(o *cohort.OptionValue) *int64 { return &o.OptionID }, texts.ReadID),
}

func readOptions(v api.Value) ([]cohort.OptionValue, error) {
	values, ok := v.Array()
	if !ok {
		return nil, cohort.Invalid("", "The value must be an array of option values.")
	}
	return decodeArray(values, optionFields, "id", "option_id")
}

var variantFilters = filters[cohort.VariantFilter]{
	"id":         idFilter(func(f *cohort.VariantFilter) *[]int64 { return &f.IDs }),
	"id:in":      idFilter(func(f *cohort.VariantFilter) *[]int64 { return &f.IDs }),
	"product_id": idFilter(func(f *cohort.VariantFilter) *[]int64 { return &f.ProductIDs }),
	"sku": func(into *cohort.VariantFilter, value string) error { // an SKU may contain commas
		into.SKUs = []string{value}
		return nil
	},
	"sku:in": wordFilter(func(f *cohort.VariantFilter) *[]string { return &f.SKUs }),
}

// optionWire is an option of a variant with its value.
type optionWire struct {
	ID       int64 `json:"id"` // of the value
	OptionID int64 `json:"option_id"`
}

// variantWire is a variant in responses. A null price means the product's price.
type variantWire struct {
	ID              int64          `json:"id"`
	ProductID       int64          `json:"product_id"`
	SKU             string         `json:"sku"`
	Price           optionalAmount `json:"price"`
	SalePrice       optionalAmount `json:"sale_price"`
	RetailPrice     optionalAmount `json:"retail_price"`
	MAPPrice        optionalAmount `json:"map_price"`
	CalculatedPrice amount         `json:"calculated_price"`
	OptionValues    []optionWire   `json:"option_values"`
}

func variantToWire(v service.CatalogVariant) variantWire {
	options := make([]optionWire, len(v.OptionValues))
	for i, o := range v.OptionValues {
		options[i] = optionWire{o.ValueID, o.OptionID}
	}
	return variantWire{
		ID: v.ID, ProductID: v.ProductID, SKU: v.SKU, Price: optionalAmount(v.Price), SalePrice: optionalAmount(v.SalePrice),
		RetailPrice: optionalAmount(v.RetailPrice), MAPPrice: optionalAmount(v.MAPPrice),
		CalculatedPrice: amount(v.CalculatedPrice(v.Product)), OptionValues: options,
	}
}

func (h *handler) listVariants(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeQuery(r, variantFilters)
	if err != nil {
		return err
	}
	return writeVariants(w, r, page, func(ctx context.Context, p cohort.Page, to *api.Piece[service.CatalogVariant]) (int64, error) {
		return h.svc.ReadVariants(ctx, r.Store.Key, filter, p, to)
	})
}

func writeVariants(w http.ResponseWriter, r *api.Request, page paging, read reader[service.CatalogVariant]) error {
	return writeCollection(w, r, page, read, variantToWire, func(v service.CatalogVariant) string { return strconv.FormatInt(v.ID, 10) })
}

func (h *handler) listVariantsOfProduct(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("product_id")
	if err != nil {
		return err
	}
	_, page, err := decodeQuery(r, filters[struct{}]{})
	if err != nil {
		return err
	}
	return writeVariants(w, r, page, func(ctx context.Context, p cohort.Page, to *api.Piece[service.CatalogVariant]) (int64, error) {
		return h.svc.ReadVariantsOf(ctx, r.Store.Key, id, p, to)
	})
}

func (h *handler) createVariant(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("product_id")
	if err != nil {
		return err
	}
	u, err := decodeBody(r, variantFields, "option_values")
	if err != nil {
		return err
	}
	v, err := h.svc.CreateVariant(r.Context(), r.Store.Key, u.Apply(cohort.Variant{ProductID: id}))
	if err != nil {
		return err
	}
	return writeSingle(w, variantToWire(v))
}

// variantIDs returns the ids of a product and of a variant from the path.
func variantIDs(r *api.Request) (product, variant int64, err error) {
	if product, err = r.ID("product_id"); err != nil {
		return 0, 0, err
	}
	variant, err = r.ID("variant_id")
	return product, variant, err
}

func (h *handler) getVariant(w http.ResponseWriter, r *api.Request) error {
	product, id, err := variantIDs(r)
	if err != nil {
		return err
	}
	v, err := h.svc.Variant(r.Context(), r.Store.Key, product, id)
	if err != nil {
		return err
	}
	return writeSingle(w, variantToWire(v))
}

func (h *handler) updateVariant(w http.ResponseWriter, r *api.Request) error {
	product, id, err := variantIDs(r)
	if err != nil {
		return err
	}
	u, err := decodeBody(r, variantFields)
	if err != nil {
		return err
	}
	v, err := h.svc.UpdateVariant(r.Context(), r.Store.Key, product, id, u)
	if err != nil {
		return err
	}
	return writeSingle(w, variantToWire(v))
}

func (h *handler) deleteVariant(w http.ResponseWriter, r *api.Request) error {
	product, id, err := variantIDs(r)
	if err != nil {
		return err
	}
	if err := h.svc.DeleteVariant(r.Context(), r.Store.Key, product, id); err != nil {
		return err
	}
	return noContent(w)
}
