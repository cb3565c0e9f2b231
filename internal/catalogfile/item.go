package catalogfile

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// fieldSetter sets a field of an item.
type fieldSetter func(*cohort.CatalogItem, value) error

// setterOf returns a setter that parses a value with read and stores it in field.
func setterOf[T any](read func(value) (T, error), field func(*cohort.CatalogItem) *T) fieldSetter {
	return func(i *cohort.CatalogItem, v value) (err error) {
		*field(i), err = read(v)
		return err
	}
}

func optional(v value) (decimal.NullDecimal, error) {
	d, err := v.amount()
	return decimal.NullDecimal{Decimal: d, Valid: err == nil}, err
}

func productType(v value) (cohort.ProductType, error) {
	s, err := v.text()
	return cohort.ProductType(strings.ToLower(s)), err
}

// schema has the fields of a kind besides kind and id.
type schema struct {
	fields   map[string]fieldSetter
	required []string
	begin    func(*cohort.CatalogItem)
}

// onlyJSON are the fields that have no CSV column.
var onlyJSON = []string{"bulk_pricing_rules"}

var schemas = map[cohort.CatalogKind]schema{
	cohort.CatalogCategory: {
		fields: map[string]fieldSetter{
			"parent_id": setterOf(value.id, func(i *cohort.CatalogItem) *int64 { return &i.Category.ParentID }),
			"name":      setterOf(value.text, func(i *cohort.CatalogItem) *string { return &i.Category.Name }),
		},
		required: []string{"id", "name"},
		begin:    func(*cohort.CatalogItem) {},
	},
	cohort.CatalogProduct: {
		fields: map[string]fieldSetter{
			"name":               setterOf(value.text, func(i *cohort.CatalogItem) *string { return &i.Product.Name }),
			"type":               setterOf(productType, func(i *cohort.CatalogItem) *cohort.ProductType { return &i.Product.Type }),
			"sku":                setterOf(value.text, func(i *cohort.CatalogItem) *string { return &i.Product.SKU }),
			"weight":             setterOf(value.amount, func(i *cohort.CatalogItem) *decimal.Decimal { return &i.Product.Weight }),
			"price":              setterOf(value.amount, func(i *cohort.CatalogItem) *decimal.Decimal { return &i.Product.Price }),
			"sale_price":         setterOf(value.amount, func(i *cohort.CatalogItem) *decimal.Decimal { return &i.Product.SalePrice }),
			"retail_price":       setterOf(value.amount, func(i *cohort.CatalogItem) *decimal.Decimal { return &i.Product.RetailPrice }),
			"map_price":          setterOf(value.amount, func(i *cohort.CatalogItem) *decimal.Decimal { return &i.Product.MAPPrice }),
			"categories":         setterOf(value.ids, func(i *cohort.CatalogItem) *[]int64 { return &i.Product.Categories }),
			"bulk_pricing_rules": setterOf(value.tiers, func(i *cohort.CatalogItem) *[]cohort.BulkTier { return &i.Product.BulkTiers }),
		},
		required: []string{"id", "name", "price"},
		begin:    func(i *cohort.CatalogItem) { i.Product.Type = cohort.ProductPhysical },
	},
	cohort.CatalogVariant: {
		fields: map[string]fieldSetter{
			"product_id":    setterOf(value.id, func(i *cohort.CatalogItem) *int64 { return &i.Variant.ProductID }),
			"sku":           setterOf(value.text, func(i *cohort.CatalogItem) *string { return &i.Variant.SKU }),
			"price":         setterOf(optional, func(i *cohort.CatalogItem) *decimal.NullDecimal { return &i.Variant.Price }),
			"sale_price":    setterOf(optional, func(i *cohort.CatalogItem) *decimal.NullDecimal { return &i.Variant.SalePrice }),
			"retail_price":  setterOf(optional, func(i *cohort.CatalogItem) *decimal.NullDecimal { return &i.Variant.RetailPrice }),
			"map_price":     setterOf(optional, func(i *cohort.CatalogItem) *decimal.NullDecimal { return &i.Variant.MAPPrice }),
			"option_values": setterOf(value.options, func(i *cohort.CatalogItem) *[]cohort.OptionValue { return &i.Variant.OptionValues }),
		},
		required: []string{"id", "product_id"},
		begin:    func(*cohort.CatalogItem) {},
	},
}

// columnsOf returns the CSV columns of a kind, sorted; "" is all kinds.
func columnsOf(kind cohort.CatalogKind) []string {
	columns := map[string]bool{"kind": true, "id": true}
	for k, s := range schemas {
		if kind != "" && kind != k {
			continue
		}
		for name := range s.fields {
			columns[name] = !slices.Contains(onlyJSON, name)
		}
	}
	maps.DeleteFunc(columns, func(_ string, there bool) bool { return !there })
	return slices.Sorted(maps.Keys(columns))
}

// isField reports whether any kind has the field.
func isField(name string) bool {
	return slices.Contains(onlyJSON, name) || slices.Contains(columnsOf(""), name)
}

// itemOf parses an item. Err is the first error, but kind and id are set whenever
// possible, because other items may refer to them.
func itemOf(r record, standard cohort.CatalogKind) (item cohort.CatalogItem) {
	idErr := readID(r, &item)
	if item.Err = readKind(r, standard, &item); item.Err != nil {
		return item
	}
	if item.Err = idErr; item.Err != nil {
		return item
	}
	s := schemas[item.Kind]
	s.begin(&item)
	for _, name := range r.names() {
		if name == "kind" || name == "id" {
			continue
		}
		set, known := s.fields[name]
		if !known {
			item.Err = unknownField(name, item.Kind)
			return item
		}
		if err := set(&item, r.value(name)); err != nil {
			item.Err = cohort.Invalid(name, reasonOf(err))
			return item
		}
	}
	for _, name := range s.required {
		if r.value(name) == nil {
			item.Err = cohort.Invalid(name, "It is missing.")
			return item
		}
	}
	_, inCSV := r.(csvRecord)
	item.KeepBulkTiers = inCSV && item.Kind == cohort.CatalogProduct
	return item
}

func readID(r record, item *cohort.CatalogItem) error {
	v := r.value("id")
	if v == nil {
		return cohort.Invalid("id", "It is missing.")
	}
	id, err := v.id()
	if err != nil {
		return cohort.Invalid("id", reasonOf(err))
	}
	item.ID = id
	return nil
}

func readKind(r record, standard cohort.CatalogKind, item *cohort.CatalogItem) error {
	v := r.value("kind")
	if v == nil {
		if standard == "" {
			return cohort.Invalid("kind", "It is missing. It is category, product or variant; if all lines are of one kind, set it with --kind.")
		}
		item.Kind = standard
		return nil
	}
	word, err := v.text()
	kind := cohort.CatalogKind(strings.ToLower(strings.TrimSpace(word)))
	switch {
	case err != nil:
		return cohort.Invalid("kind", reasonOf(err))
	case !slices.Contains(cohort.CatalogKinds(), kind):
		return cohort.Invalid("kind", short(word)+" is not category, product or variant.")
	case standard != "" && kind != standard:
		return cohort.Invalid("kind", "It is "+string(kind)+", but --kind is "+string(standard)+".")
	}
	item.Kind = kind
	return nil
}

func unknownField(name string, kind cohort.CatalogKind) error {
	if isField(name) {
		return &cohort.Error{Kind: cohort.KindInvalid, Message: "A " + string(kind) + " has no " + name + "."}
	}
	return &cohort.Error{Kind: cohort.KindInvalid, Message: "There is no field " + short(name) + "."}
}

func reasonOf(err error) string {
	if e, ok := errors.AsType[*cohort.Error](err); ok && e.Reason != "" {
		return e.Reason
	}
	return err.Error()
}
