package apiv3

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// maxAddresses is how many addresses one request may create or change, and how many a new
// customer may bring.
const maxAddresses = 10

// addressFields has the fields of an address in the bodies of creates and updates, and of
// customers. The country's name follows from its code.
func addressFields[T any](at func(*T) *cohort.AddressUpdate) api.Fields[T] {
	text := func(field func(*cohort.AddressUpdate) **string) func(*T, api.Value) error {
		return api.Optional(func(into *T) **string { return field(at(into)) }, readShapeText[string])
	}
	mayBeNull := func(field func(*cohort.AddressUpdate) **string) func(*T, api.Value) error {
		return optional(func(into *T) **string { return field(at(into)) }, readShapeText[string])
	}
	return api.Fields[T]{
		"first_name":        text(func(u *cohort.AddressUpdate) **string { return &u.FirstName }),
		"last_name":         text(func(u *cohort.AddressUpdate) **string { return &u.LastName }),
		"company":           mayBeNull(func(u *cohort.AddressUpdate) **string { return &u.Company }),
		"address1":          text(func(u *cohort.AddressUpdate) **string { return &u.Street1 }),
		"address2":          mayBeNull(func(u *cohort.AddressUpdate) **string { return &u.Street2 }),
		"city":              text(func(u *cohort.AddressUpdate) **string { return &u.City }),
		"state_or_province": mayBeNull(func(u *cohort.AddressUpdate) **string { return &u.State }),
		"postal_code":       mayBeNull(func(u *cohort.AddressUpdate) **string { return &u.Zip }),
		"country":           nil,
		"country_code":      text(func(u *cohort.AddressUpdate) **string { return &u.CountryISO2 }),
		"phone":             mayBeNull(func(u *cohort.AddressUpdate) **string { return &u.Phone }),
		"address_type": optional(func(into *T) **cohort.AddressType { return &at(into).Type },
			readShapeText[cohort.AddressType]),
	}
}

// requiredAddressFields are required of every new address, inside a customer too. State
// and postal code depend on the country.
var requiredAddressFields = []string{"first_name", "last_name", "address1", "city", "country_code"}

// newAddressFields has the fields of an address in the body of a customer.
var newAddressFields = func() api.Fields[service.AddressItem] {
	fields := addressFields(func(i *service.AddressItem) *cohort.AddressUpdate { return &i.AddressUpdate })
	fields["id"] = nil
	fields["customer_id"] = nil
	fields["form_fields"] = nullable(func(i *service.AddressItem) *[]cohort.FormField { return &i.FormFields }, readFormFields)
	return fields
}()

// readNewAddresses reads the addresses in the body of a customer. The customer is new, so
// they name none.
func readNewAddresses(v api.Value) ([]service.AddressItem, error) {
	values, err := readShapeArray(v, maxAddresses)
	if err != nil {
		return nil, err
	}
	if len(values) > maxAddresses {
		return nil, cohort.Invalid("", "A customer may be created with at most 10 addresses.")
	}
	return readShapes(values, newAddressFields, requiredAddressFields...)
}

var addressPostFields = func() api.Fields[service.AddressItem] {
	fields := maps.Clone(newAddressFields)
	fields["customer_id"] = api.Plain(func(i *service.AddressItem) *int64 { return &i.CustomerID }, readShapeInt)
	return fields
}()

var addressPutFields = func() api.Fields[service.AddressItem] {
	fields := maps.Clone(newAddressFields)
	fields["id"] = api.Plain(func(i *service.AddressItem) *int64 { return &i.ID }, readShapeInt)
	fields["customer_id"] = nullable(func(i *service.AddressItem) *int64 { return &i.CustomerID }, readShapeInt)
	return fields
}()

func decodeNewAddresses(r *api.Request) ([]service.AddressItem, error) {
	required := slices.Concat([]string{"customer_id"}, requiredAddressFields)
	return decodeShapes(r, maxAddresses, http.StatusUnprocessableEntity, addressPostFields, required...)
}

func decodeAddressUpdates(r *api.Request) ([]service.AddressItem, error) {
	return decodeShapes(r, maxAddresses, http.StatusUnprocessableEntity, addressPutFields, "id")
}

// addressPaths are the names of fields of an address in V3, where errors have others.
var addressPaths = map[string]string{
	"street_1": "address1", "street_2": "address2", "state": "state_or_province", "zip": "postal_code",
	"country_iso2": "country_code", "country": "country_code",
}

// inV3 names the fields in the errors of addresses as V3 does.
func inV3(err error) error {
	if items, ok := errors.AsType[cohort.ItemErrors](err); ok {
		renamed := make(cohort.ItemErrors, len(items))
		for i, item := range items {
			renamed[i] = inV3(item)
		}
		return renamed
	}
	e, ok := errors.AsType[*cohort.Error](err)
	if !ok || addressPaths[e.Field] == "" {
		return err
	}
	renamed := *e
	renamed.Field = addressPaths[e.Field]
	return &renamed
}
