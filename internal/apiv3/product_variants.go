package apiv3

import (
	"errors"
	"fmt"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// newProduct is a product to create with its variants.
type newProduct struct {
	cohort.ProductUpdate
	variants []cohort.VariantUpdate
}

// newProductFields has the fields of a new product.
var newProductFields = func() api.Fields[newProduct] {
	table := fieldsWithin(productFields, func(p *newProduct) *cohort.ProductUpdate { return &p.ProductUpdate })
	table["variants"] = func(p *newProduct, v api.Value) (err error) {
		p.variants, err = readNewVariants(v)
		return err
	}
	return table
}()

// fieldsWithin returns the fields of a body for a larger one that has them too.
func fieldsWithin[T, Part any](fields api.Fields[Part], at func(*T) *Part) api.Fields[T] {
	table := api.Fields[T]{}
	for name, read := range fields {
		if read == nil {
			table[name] = nil
			continue
		}
		table[name] = func(into *T, v api.Value) error { return read(at(into), v) }
	}
	return table
}

func readNewVariants(v api.Value) ([]cohort.VariantUpdate, error) {
	values, ok := v.ArrayIn(nil, cohort.MaxVariants)
	switch {
	case !ok:
		return nil, cohort.Invalid("", "The value must be an array of variants.")
	case len(values) > cohort.MaxVariants:
		return nil, cohort.Invalid("", fmt.Sprintf("A product has at most %d variants.", cohort.MaxVariants))
	}
	return decodeArray(values, newVariantOfProduct, "option_values")
}

// newVariantOfProduct has the fields of a variant of a new product.
var newVariantOfProduct = func() api.Fields[cohort.VariantUpdate] {
	table := variantBody(func(u *cohort.VariantUpdate) *cohort.VariantUpdate { return u })
	table["option_values"] = readNewOptions
	return table
}()

// newOptionFields has the fields of an option value of a new product. Its options do not
// have ids yet.
var newOptionFields = api.Fields[cohort.OptionLabel]{
	"id":                  nil,
	"option_id":           nil,
	"label":               api.Plain(func(l *cohort.OptionLabel) *string { return &l.Choice }, readText),
	"option_display_name": api.Plain(func(l *cohort.OptionLabel) *string { return &l.Option }, readText),
}

func readNewOptions(u *cohort.VariantUpdate, v api.Value) error {
	values, ok := v.Array()
	if !ok {
		return cohort.Invalid("", "The value must be an array of option values.")
	}
	labels, err := decodeArray(values, newOptionFields, "option_display_name", "label")
	if err != nil {
		return err
	}
	var failed failures
	for i := range labels {
		labels[i] = labels[i].Normalized()
		if err := labels[i].Validate(); err != nil {
			failed.add(strconv.Itoa(i), err)
		}
	}
	u.OptionLabels = labels
	return failed.err()
}

// inPart turns errors of a part of a body into errors with the paths in the body. It
// returns others as they are.
func inPart(err error) error {
	part, ok := errors.AsType[service.PartErrors](err)
	if !ok {
		return err
	}
	var failed failures
	failed.add(part.Part, part.Errors)
	return failed.err()
}
