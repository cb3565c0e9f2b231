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
		{Operation: "updateVariants", Method: "PUT", Path: "/catalog/variants", Scope: modify, Handle: h.putVariants},
		{Operation: "listVariantsOfProduct", Method: "GET", Path: "/catalog/products/{product_id}/variants", Scope: read, Handle: h.listVariantsOfProduct},
		{Operation: "createVariant", Method: "POST", Path: "/catalog/products/{product_id}/variants", Scope: modify, Handle: h.createVariant},
		{Operation: "getVariant", Method: "GET", Path: "/catalog/products/{product_id}/variants/{variant_id}", Scope: read, Handle: h.getVariant},
		{Operation: "updateVariant", Method: "PUT", Path: "/catalog/products/{product_id}/variants/{variant_id}", Scope: modify, Handle: h.updateVariant},
		{Operation: "deleteVariant", Method: "DELETE", Path: "/catalog/products/{product_id}/variants/{variant_id}", Scope: modify, Handle: h.deleteVariant},
	}
}

// variantFields has the fields of a body of a variant.
var variantFields = variantBody(func(u *cohort.VariantUpdate) *cohort.VariantUpdate { return u })

// variantBody returns the fields of a variant in a body that is read into a T.
func variantBody[T any](at func(*T) *cohort.VariantUpdate) api.Fields[T] {
	return addDetails(api.Fields[T]{
		"id":                nil,
		"product_id":        nil,
		"sku":               api.Optional(func(t *T) **string { return &at(t).SKU }, readText),
		"sku_id":            nil,
		"price":             updatedPrice(func(t *T) **decimal.NullDecimal { return &at(t).Price }),
		"sale_price":        updatedPrice(func(t *T) **decimal.NullDecimal { return &at(t).SalePrice }),
		"retail_price":      updatedPrice(func(t *T) **decimal.NullDecimal { return &at(t).RetailPrice }),
		"map_price":         updatedPrice(func(t *T) **decimal.NullDecimal { return &at(t).MAPPrice }),
		"calculated_price":  nil,
		"calculated_weight": nil,
		"option_values":     func(into *T, v api.Value) error { return readOptions(at(into), v) },
	}, cohort.VariantDetails, func(t *T) *cohort.Details { return &at(t).Details })
}

// updatedPrice returns the function for a price of an update. null and "" unset it.
func updatedPrice[T any](field func(*T) **decimal.NullDecimal) func(*T, api.Value) error {
	return func(into *T, v api.Value) error {
		value := &decimal.NullDecimal{}
		*field(into) = value
		return price(func(*T) *decimal.NullDecimal { return value })(into, v)
	}
}

// optionBody is an option value in a body: two ids, two labels, or both.
type optionBody struct {
	cohort.OptionValue
	cohort.OptionLabel
}

// optionFields has the fields of an option value. null is as good as a missing field.
var optionFields = api.Fields[optionBody]{
	"id":                  unlessNull(api.Plain(func(o *optionBody) *int64 { return &o.ValueID }, texts.ReadID)),
	"option_id":           unlessNull(api.Plain(func(o *optionBody) *int64 { return &o.OptionID }, texts.ReadID)),
	"label":               unlessNull(api.Plain(func(o *optionBody) *string { return &o.Choice }, readText)),
	"option_display_name": unlessNull(api.Plain(func(o *optionBody) *string { return &o.Option }, readText)),
}

func unlessNull[T any](read func(*T, api.Value) error) func(*T, api.Value) error {
	return func(into *T, v api.Value) error {
		if v.IsNull() {
			return nil
		}
		return read(into, v)
	}
}

// readOptions reads the option values of a variant. Ids take precedence over labels, so
// that a client can send back what it has received.
func readOptions(u *cohort.VariantUpdate, v api.Value) error {
	values, ok := v.Array()
	if !ok {
		return cohort.Invalid("", "The value must be an array of option values.")
	}
	bodies, wrong := decodeArray(values, optionFields)
	var failed failures
	options := make([]cohort.OptionValue, len(bodies))
	labels := make([]cohort.OptionLabel, len(bodies))
	labeled := false
	for i, b := range bodies {
		if err := b.check(); err != nil {
			failed.add(strconv.Itoa(i), err)
		}
		if options[i] = b.OptionValue; b.byLabel() {
			labels[i], labeled = b.Normalized(), true
		}
	}
	u.OptionValues = &options
	if labeled {
		u.OptionLabels = labels
	}
	if wrong != nil {
		failed.add("", wrong) // after those above: a field of the wrong type is not missing
	}
	return failed.err()
}

// byLabel reports whether the value is named by labels and not by ids.
func (b optionBody) byLabel() bool {
	return b.OptionValue == cohort.OptionValue{} && b.OptionLabel != cohort.OptionLabel{}
}

func (b optionBody) check() error {
	const missing = "The field is required."
	switch {
	case b.byLabel() && b.Option == "":
		return cohort.Invalid("option_display_name", missing)
	case b.byLabel() && b.Choice == "":
		return cohort.Invalid("label", missing)
	case b.byLabel():
		return b.Normalized().Validate()
	case b.ValueID == 0:
		return cohort.Invalid("id", missing)
	case b.OptionID == 0:
		return cohort.Invalid("option_id", missing)
	}
	return nil
}

// variantQuery has the parameters of a list of variants.
type variantQuery struct {
	cohort.VariantFilter
	fields fieldSelection
}

var variantFilters = func() filters[variantQuery] {
	table := filters[variantQuery]{
		"id":            idFilter(func(q *variantQuery) *[]int64 { return &q.IDs }),
		"id:in":         idFilter(func(q *variantQuery) *[]int64 { return &q.IDs }),
		"product_id":    idFilter(func(q *variantQuery) *[]int64 { return &q.ProductIDs }),
		"product_id:in": idFilter(func(q *variantQuery) *[]int64 { return &q.ProductIDs }),
		"sku": func(into *variantQuery, value string) error { // an SKU may contain commas
			into.SKUs = []string{value}
			return nil
		},
		"sku:in": wordFilter(func(q *variantQuery) *[]string { return &q.SKUs }),
		"upc":    api.TextFilter(func(q *variantQuery) **string { return &q.UPC }),
	}
	selectionFilters(table, variantMembers, func(q *variantQuery) *fieldSelection { return &q.fields })
	return table
}()

// variantSelection has the parameters that select the fields of a variant.
var variantSelection = func() filters[fieldSelection] {
	table := filters[fieldSelection]{}
	selectionFilters(table, variantMembers, func(s *fieldSelection) *fieldSelection { return s })
	return table
}()

// variantMembers has the members of a variant in the order of the reference's examples. A
// null price means the product's price.
var variantMembers = func() []member[service.CatalogVariant] {
	type variant = service.CatalogVariant
	optional := func(name string, of func(*variant) decimal.NullDecimal) member[variant] {
		return valueMember(name, func(v *variant) optionalAmount { return optionalAmount(of(v)) })
	}
	members := []member[variant]{
		valueMember("id", func(v *variant) int64 { return v.ID }),
		valueMember("product_id", func(v *variant) int64 { return v.ProductID }),
		valueMember("sku", func(v *variant) string { return v.SKU }),
		valueMember("sku_id", skuID),
		optional("price", func(v *variant) decimal.NullDecimal { return v.Price }),
		valueMember("calculated_price", func(v *variant) amount { return amount(v.CalculatedPrice(v.Product)) }),
		optional("sale_price", func(v *variant) decimal.NullDecimal { return v.SalePrice }),
		optional("retail_price", func(v *variant) decimal.NullDecimal { return v.RetailPrice }),
		optional("map_price", func(v *variant) decimal.NullDecimal { return v.MAPPrice }),
	}
	for _, m := range detailMembers(cohort.VariantDetails, func(v *variant) cohort.Details { return v.Details }, nil) {
		members = append(members, m)
		if m.name == "weight" {
			members = append(members, member[variant]{"calculated_weight", appendCalculatedWeight})
		}
	}
	return append(members, member[variant]{"option_values", appendOptionValues})
}()

// skuID is the id under which the vendor's V2 API has the SKU, which base variants do not
// have.
func skuID(v *service.CatalogVariant) *int64 {
	if len(v.OptionValues) == 0 {
		return nil
	}
	return &v.ID
}

// appendCalculatedWeight appends the weight of the variant, else that of its product.
func appendCalculatedWeight(dst []byte, v *service.CatalogVariant) ([]byte, error) {
	if own := v.Details["weight"]; own != nil && string(own) != "null" {
		return append(dst, own...), nil
	}
	return api.AppendJSON(dst, amount(v.Product.Weight))
}

// optionWire is an option value of a variant.
type optionWire struct {
	ID       int64  `json:"id"` // of the value
	Label    string `json:"label"`
	OptionID int64  `json:"option_id"`
	Name     string `json:"option_display_name"`
}

func appendOptionValues(dst []byte, v *service.CatalogVariant) ([]byte, error) {
	options := make([]optionWire, len(v.OptionValues))
	for i, o := range v.OptionValues {
		label := v.Labels[i]
		options[i] = optionWire{o.ValueID, label.Choice, o.OptionID, label.Option}
	}
	return api.AppendJSON(dst, options)
}

// variantToWire returns the function that converts a variant with the selected fields.
func variantToWire(fields fieldSelection) func(service.CatalogVariant) object[service.CatalogVariant] {
	members := selected(fields, variantMembers)
	return func(v service.CatalogVariant) object[service.CatalogVariant] {
		return object[service.CatalogVariant]{members, v}
	}
}

func (h *handler) listVariants(w http.ResponseWriter, r *api.Request) error {
	query, page, err := decodeQuery(r, variantFilters)
	if err != nil {
		return err
	}
	return writeVariants(w, r, page, query.fields, func(ctx context.Context, p cohort.Page, to *api.Piece[service.CatalogVariant]) (int64, error) {
		return h.svc.ReadVariants(ctx, r.Store.Key, query.VariantFilter, p, to)
	})
}

func writeVariants(w http.ResponseWriter, r *api.Request, page paging, fields fieldSelection, read reader[service.CatalogVariant]) error {
	return writeCollection(w, r, page, read, variantToWire(fields), func(v service.CatalogVariant) string { return strconv.FormatInt(v.ID, 10) })
}

func (h *handler) listVariantsOfProduct(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("product_id")
	if err != nil {
		return err
	}
	fields, page, err := decodeQuery(r, variantSelection)
	if err != nil {
		return err
	}
	return writeVariants(w, r, page, fields, func(ctx context.Context, p cohort.Page, to *api.Piece[service.CatalogVariant]) (int64, error) {
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
	v, err := h.svc.CreateVariant(r.Context(), r.Store.Key, u.Apply(cohort.Variant{ProductID: id}), u.OptionLabels...)
	if err != nil {
		return err
	}
	return writeSingle(w, variantToWire(fieldSelection{})(v))
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
	fields, err := readSelection(r, variantMembers)
	if err != nil {
		return err
	}
	v, err := h.svc.Variant(r.Context(), r.Store.Key, product, id)
	if err != nil {
		return err
	}
	return writeSingle(w, variantToWire(fields)(v))
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
	return writeSingle(w, variantToWire(fieldSelection{})(v))
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
