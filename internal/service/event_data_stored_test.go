package service_test

import (
	"fmt"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// keptOf are the fields that are compared, by the type of the resource. Those of form fields
// are compared all.
var keptOf = map[string][]string{
	"customer": nil, "address": {"street_1", "company"}, "attribute": {"name", "type"}, "value": {"value"},
	"category": {"parent_id", "tree_id", "name", "is_visible"}, "brand": {"name"},
	"product": {"price", "sale_price", "sku", "name", "weight", "categories", "brand_id", "base_variant_id"},
	"variant": {"price", "sale_price", "sku", "option_values"},
}

// compared returns the part of the copy that is compared.
func (m *dataModel) compared() map[string]fields {
	all := map[string]fields{}
	for key, values := range m.copy {
		kind, _, _ := strings.Cut(key, " ")
		names, some := keptOf[kind]
		if !some {
			all[key] = values
			continue
		}
		all[key] = fields{}
		for _, name := range names {
			all[key][name] = values[name]
		}
		if kind == "category" && values["is_visible"] == nil {
			all[key]["is_visible"] = true
		}
	}
	return all
}

// stored reads what compared returns from the store.
func (m *dataModel) stored(t *rapid.T) map[string]fields {
	all := map[string]fields{}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	customers, err := m.svc.ListCustomers(ctxModel, m.store, cohort.CustomerFilter{}, anyPage)
	check(err)
	for _, c := range customers {
		all[fmt.Sprint("customer ", c.ID)] = fields{}
		addresses, err := m.svc.ListAddresses(ctxModel, m.store, c.ID, anyPage)
		check(err)
		for _, a := range addresses {
			all[addressKey(c.ID, a.ID)] = fields{"street_1": a.Street1, "company": a.Company}
		}
	}
	check(m.storedFields(all))
	check(m.storedCatalog(all))
	return all
}

// storedFields adds attributes, their values and form fields. Addresses are there already.
func (m *dataModel) storedFields(all map[string]fields) error {
	var attributes collected[cohort.Attribute]
	if _, err := m.svc.ReadAttributes(ctxModel, m.store, cohort.AttributeFilter{}, anyPage, &attributes); err != nil {
		return err
	}
	for _, a := range attributes {
		all[fmt.Sprint("attribute ", a.ID)] = fields{"name": a.Name, "type": string(a.Type)}
	}
	var values collected[cohort.AttributeValue]
	if _, err := m.svc.ReadAttributeValues(ctxModel, m.store, cohort.AttributeValueFilter{}, anyPage, &values); err != nil {
		return err
	}
	for _, v := range values {
		all[valueOf(v.CustomerID, v.AttributeID)] = fields{"value": v.Value}
	}
	var forms collected[cohort.FormField]
	if _, err := m.svc.ReadFormFields(ctxModel, m.store, cohort.FormFieldFilter{}, anyPage, &forms); err != nil {
		return err
	}
	for _, f := range forms {
		key := formOf(f.CustomerID, 0)
		if f.AddressID != 0 {
			key = formOf(customerOfAddress(all, f.AddressID), f.AddressID)
		}
		if all[key] == nil {
			all[key] = fields{}
		}
		all[key][f.Name] = f.Value.Text
	}
	return nil
}

func customerOfAddress(all map[string]fields, address int64) int64 {
	for key := range all {
		var customer, id int64
		if n, _ := fmt.Sscanf(key, "address %d %d", &customer, &id); n == 2 && id == address {
			return customer
		}
	}
	return 0
}

func (m *dataModel) storedCatalog(all map[string]fields) error {
	var categories collected[cohort.Category]
	if _, err := m.svc.ReadCategories(ctxModel, m.store, cohort.CategoryFilter{}, cohort.CategoryOrder{}, anyPage, &categories); err != nil {
		return err
	}
	for _, c := range categories {
		all[fmt.Sprint("category ", c.ID)] = fields{
			"parent_id": float64(c.ParentID), "tree_id": float64(c.TreeID), "name": c.Name, "is_visible": c.Details.Bool("is_visible", true),
		}
	}
	var brands collected[cohort.Brand]
	if _, err := m.svc.ReadBrands(ctxModel, m.store, cohort.BrandFilter{}, cohort.BrandOrder{}, anyPage, &brands); err != nil {
		return err
	}
	for _, b := range brands {
		all[fmt.Sprint("brand ", b.ID)] = fields{"name": b.Name}
	}
	var products collected[cohort.Product]
	if _, err := m.svc.ReadProducts(ctxModel, m.store, cohort.ProductFilter{}, cohort.ProductOrder{}, anyPage, &products); err != nil {
		return err
	}
	for _, p := range products {
		in := []any{}
		for _, id := range p.Categories {
			in = append(in, float64(id))
		}
		all[fmt.Sprint("product ", p.ID)] = fields{
			"price": p.Price.String(), "sale_price": p.SalePrice.String(), "sku": p.SKU, "name": p.Name, "weight": p.Weight.String(),
			"categories": in, "brand_id": float64(p.BrandID), "base_variant_id": float64(p.BaseVariantID),
		}
	}
	var variants collected[service.CatalogVariant]
	_, err := m.svc.ReadVariants(ctxModel, m.store, cohort.VariantFilter{}, anyPage, &variants)
	for _, v := range variants {
		options := []any{}
		for _, o := range v.OptionValues {
			options = append(options, map[string]any{"option": float64(o.OptionID), "value": float64(o.ValueID)})
		}
		all[fmt.Sprint("variant ", v.ProductID, " ", v.ID)] = fields{
			"price": ofPrice(v.Price), "sale_price": ofPrice(v.SalePrice), "sku": v.SKU, "option_values": options,
		}
	}
	return err
}

func ofPrice(p decimal.NullDecimal) any {
	if !p.Valid {
		return nil
	}
	return p.Decimal.String()
}
