package catalogfile

import (
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// codec reads and writes the values of one type.
type codec[T any] struct {
	read func(value) (T, error)
	// json returns the value in JSONL, and "" for the default, which a file leaves out.
	json func(T) string
	// cell returns the value in CSV, and "" for the default; nil: as in JSONL.
	cell func(T) string
}

var (
	ids = codec[int64]{read: value.id, json: func(id int64) string {
		if id == 0 {
			return ""
		}
		return formatID(id)
	}}
	texts   = codec[string]{read: value.text, json: formatText, cell: func(s string) string { return s }}
	amounts = codec[decimal.Decimal]{read: value.amount, json: func(d decimal.Decimal) string {
		if d.IsZero() {
			return ""
		}
		return d.String()
	}}
	// given are amounts that a file always has, even 0.
	given  = codec[decimal.Decimal]{read: value.amount, json: decimal.Decimal.String}
	prices = codec[decimal.NullDecimal]{read: optional, json: func(d decimal.NullDecimal) string {
		if !d.Valid {
			return ""
		}
		return d.Decimal.String()
	}}
	types = codec[cohort.ProductType]{
		read: productType,
		json: func(t cohort.ProductType) string {
			if t == cohort.ProductPhysical {
				return ""
			}
			return formatText(string(t))
		},
		cell: func(t cohort.ProductType) string {
			if t == cohort.ProductPhysical {
				return ""
			}
			return string(t)
		},
	}
	idLists = codec[[]int64]{
		read: value.ids,
		json: func(ids []int64) string { return formatList(ids, "[", ",", "]", formatID) },
		cell: func(ids []int64) string { return formatList(ids, "", listSeparator, "", formatID) },
	}
	options = codec[[]cohort.OptionValue]{
		read: value.options,
		json: func(values []cohort.OptionValue) string {
			return formatList(values, "[", ",", "]", func(o cohort.OptionValue) string {
				return `{"option_id":` + formatID(o.OptionID) + `,"id":` + formatID(o.ValueID) + "}"
			})
		},
		cell: func(values []cohort.OptionValue) string {
			return formatList(values, "", listSeparator, "", func(o cohort.OptionValue) string {
				return formatID(o.OptionID) + ":" + formatID(o.ValueID)
			})
		},
	}
	tierLists = codec[[]cohort.BulkTier]{read: value.tiers, json: func(tiers []cohort.BulkTier) string {
		return formatList(tiers, "[", ",", "]", formatTier)
	}}
)

func optional(v value) (decimal.NullDecimal, error) {
	d, err := v.amount()
	return decimal.NullDecimal{Decimal: d, Valid: err == nil}, err
}

func productType(v value) (cohort.ProductType, error) {
	s, err := v.text()
	return cohort.ProductType(strings.ToLower(s)), err
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }

func formatText(s string) string {
	if s == "" {
		return ""
	}
	return quote(s)
}

// quote returns a text as JSON.
func quote(s string) string {
	b, _ := api.AppendJSON(nil, s) // a string has no error
	return string(b)
}

func formatTier(t cohort.BulkTier) string {
	to := ""
	if t.QuantityMax != 0 {
		to = `,"quantity_max":` + formatID(t.QuantityMax)
	}
	return `{"quantity_min":` + formatID(t.QuantityMin) + to + `,"type":` + quote(string(t.Method)) + `,"amount":` + t.Amount.String() + "}"
}

func formatList[T any](list []T, begin, between, end string, format func(T) string) string {
	if len(list) == 0 {
		return ""
	}
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = format(v)
	}
	return begin + strings.Join(parts, between) + end
}

// field is a field of an item that is not one of its Details.
type field struct {
	name string
	// further says that it is one of the further fields, as the Details are.
	further bool
	set     func(*cohort.CatalogItem, value) error
	// json and cell return the value in JSONL and CSV, "" if a file leaves it out.
	json, cell func(*cohort.CatalogItem) string
}

func fieldOf[T any](name string, c codec[T], at func(*cohort.CatalogItem) *T) field {
	if c.cell == nil {
		c.cell = c.json
	}
	return field{
		name: name,
		set: func(i *cohort.CatalogItem, v value) (err error) {
			*at(i), err = c.read(v)
			return err
		},
		json: func(i *cohort.CatalogItem) string { return c.json(*at(i)) },
		cell: func(i *cohort.CatalogItem) string { return c.cell(*at(i)) },
	}
}

func furtherField[T any](name string, c codec[T], at func(*cohort.CatalogItem) *T) field {
	f := fieldOf(name, c, at)
	f.further = true
	return f
}

// schema has the fields of a kind besides kind and id, in the order of an export.
type schema struct {
	fields    []field
	required  []string
	begin     func(*cohort.CatalogItem)
	details   []cohort.DetailField
	detailsAt func(*cohort.CatalogItem) *cohort.Details
	// The position of each field in fields or details, by name.
	fieldNames, detailNames map[string]int
}

var schemas = map[cohort.CatalogKind]*schema{
	cohort.CatalogBrand: newSchema(schema{
		fields:    []field{fieldOf("name", texts, func(i *cohort.CatalogItem) *string { return &i.Brand.Name })},
		required:  []string{"id", "name"},
		begin:     func(*cohort.CatalogItem) {},
		details:   cohort.BrandDetails,
		detailsAt: func(i *cohort.CatalogItem) *cohort.Details { return &i.Brand.Details },
	}),
	cohort.CatalogCategory: newSchema(schema{
		fields: []field{
			fieldOf("parent_id", ids, func(i *cohort.CatalogItem) *int64 { return &i.Category.ParentID }),
			fieldOf("name", texts, func(i *cohort.CatalogItem) *string { return &i.Category.Name }),
		},
		required:  []string{"id", "name"},
		begin:     func(*cohort.CatalogItem) {},
		details:   cohort.CategoryDetails,
		detailsAt: func(i *cohort.CatalogItem) *cohort.Details { return &i.Category.Details },
	}),
	cohort.CatalogProduct: newSchema(schema{
		fields: []field{
			fieldOf("name", texts, func(i *cohort.CatalogItem) *string { return &i.Product.Name }),
			fieldOf("type", types, func(i *cohort.CatalogItem) *cohort.ProductType { return &i.Product.Type }),
			fieldOf("sku", texts, func(i *cohort.CatalogItem) *string { return &i.Product.SKU }),
			fieldOf("weight", amounts, func(i *cohort.CatalogItem) *decimal.Decimal { return &i.Product.Weight }),
			fieldOf("price", given, func(i *cohort.CatalogItem) *decimal.Decimal { return &i.Product.Price }),
			fieldOf("sale_price", amounts, func(i *cohort.CatalogItem) *decimal.Decimal { return &i.Product.SalePrice }),
			fieldOf("retail_price", amounts, func(i *cohort.CatalogItem) *decimal.Decimal { return &i.Product.RetailPrice }),
			fieldOf("map_price", amounts, func(i *cohort.CatalogItem) *decimal.Decimal { return &i.Product.MAPPrice }),
			fieldOf("categories", idLists, func(i *cohort.CatalogItem) *[]int64 { return &i.Product.Categories }),
			fieldOf(bulkTiers, tierLists, func(i *cohort.CatalogItem) *[]cohort.BulkTier { return &i.Product.BulkTiers }),
			furtherField("brand_id", ids, func(i *cohort.CatalogItem) *int64 { return &i.Product.BrandID }),
		},
		required:  []string{"id", "name", "price"},
		begin:     func(i *cohort.CatalogItem) { i.Product.Type = cohort.ProductPhysical },
		details:   cohort.ProductDetails,
		detailsAt: func(i *cohort.CatalogItem) *cohort.Details { return &i.Product.Details },
	}),
	cohort.CatalogVariant: newSchema(schema{
		fields: []field{
			fieldOf("product_id", ids, func(i *cohort.CatalogItem) *int64 { return &i.Variant.ProductID }),
			fieldOf("sku", texts, func(i *cohort.CatalogItem) *string { return &i.Variant.SKU }),
			fieldOf("price", prices, func(i *cohort.CatalogItem) *decimal.NullDecimal { return &i.Variant.Price }),
			fieldOf("sale_price", prices, func(i *cohort.CatalogItem) *decimal.NullDecimal { return &i.Variant.SalePrice }),
			fieldOf("retail_price", prices, func(i *cohort.CatalogItem) *decimal.NullDecimal { return &i.Variant.RetailPrice }),
			fieldOf("map_price", prices, func(i *cohort.CatalogItem) *decimal.NullDecimal { return &i.Variant.MAPPrice }),
			fieldOf("option_values", options, func(i *cohort.CatalogItem) *[]cohort.OptionValue { return &i.Variant.OptionValues }),
		},
		required:  []string{"id", "product_id"},
		begin:     func(*cohort.CatalogItem) {},
		details:   cohort.VariantDetails,
		detailsAt: func(i *cohort.CatalogItem) *cohort.Details { return &i.Variant.Details },
	}),
}

// bulkTiers is the field that keeps its value if a CSV file has no column for it.
const bulkTiers = "bulk_pricing_rules"

func newSchema(s schema) *schema {
	s.fieldNames, s.detailNames = map[string]int{}, map[string]int{}
	for i, f := range s.fields {
		s.fieldNames[f.name] = i
	}
	for i, f := range s.details {
		s.detailNames[f.Name] = i
	}
	return &s
}

// has reports whether the kind has a field.
func (s *schema) has(name string) bool {
	_, isField := s.fieldNames[name]
	_, isDetail := s.detailNames[name]
	return isField || isDetail
}

// isFurther reports whether a field is one of the further fields.
func (s *schema) isFurther(name string) bool {
	if i, ok := s.fieldNames[name]; ok {
		return s.fields[i].further
	}
	_, isDetail := s.detailNames[name]
	return isDetail
}

// columns returns the names of the columns of some kinds, in the order of an export.
func columns(kinds []cohort.CatalogKind) []string {
	names := []string{"kind", "id"}
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, kind := range kinds {
		for _, f := range schemas[kind].fields {
			add(f.name)
		}
	}
	for _, kind := range kinds {
		for _, f := range schemas[kind].details {
			add(f.Name)
		}
	}
	return names
}

// kindsOf returns the kinds of a file in which all items are of one kind; "" is any kind.
func kindsOf(kind cohort.CatalogKind) []cohort.CatalogKind {
	if kind == "" {
		return cohort.CatalogKinds()
	}
	return []cohort.CatalogKind{kind}
}

// isField reports whether any kind has the field.
func isField(name string) bool {
	if name == "kind" || name == "id" {
		return true
	}
	return slices.ContainsFunc(cohort.CatalogKinds(), func(k cohort.CatalogKind) bool { return schemas[k].has(name) })
}
