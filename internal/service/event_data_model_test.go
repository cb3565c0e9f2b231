package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// TestEventsRebuildTheData is TestEventsRebuildTheStore for the further data of customers and
// for the catalog.
func TestEventsRebuildTheData(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		histories := 0
		rapid.Check(t, func(t *rapid.T) {
			histories++
			m := &dataModel{svc: svc, store: fmt.Sprint("d", histories), copy: map[string]fields{}}
			if _, err := svc.CreateStore(context.Background(), cohort.Store{Hash: m.store, Events: true}); err != nil {
				t.Fatal(err)
			}
			t.Repeat(rapid.StateMachineActions(m))
		})
	})
}

// dataModel is the copy: the fields of each resource by its type and ids. Its exported
// methods are the actions of the state machine.
type dataModel struct {
	svc   *service.Service
	store string
	last  int64
	copy  map[string]fields
}

var (
	modelID    = rapid.Int64Range(1, 4)
	modelText  = rapid.SampledFrom([]string{"a", "b", "\"", "日"})
	modelPrice = rapid.SampledFrom([]string{"0", "1", "1.50", "2.0001"})
	anyPage    = cohort.Page{Number: 1, Size: 200}
	ctxModel   = context.Background()
)

// modelIDs returns a generator of its own: the element of a list is not safe in parallel tests.
func modelIDs() *rapid.Generator[[]int64] {
	return rapid.SliceOfNDistinct(rapid.Int64Range(1, 4), 0, 2, rapid.ID[int64])
}

func modelAmount(t *rapid.T, name string) decimal.Decimal {
	return decimal.RequireFromString(modelPrice.Draw(t, name))
}

func (m *dataModel) CreateCustomer(t *rapid.T) {
	_, _ = m.svc.CreateCustomer(ctxModel, m.store, cohort.CustomerUpdate{
		FirstName: new("F"), LastName: new("L"), Email: new(modelText.Draw(t, "email") + "@example.com"),
	})
}

func (m *dataModel) DeleteCustomer(t *rapid.T) {
	_ = m.svc.DeleteCustomer(ctxModel, m.store, modelID.Draw(t, "id"))
}

func drawAddress(t *rapid.T) cohort.AddressUpdate {
	u := cohort.AddressUpdate{
		FirstName: new("F"), LastName: new("L"), Street1: new(modelText.Draw(t, "street")), City: new("C"), State: new("S"), Zip: new("Z"),
		Country: new("Germany"),
	}
	if modelFlag.Draw(t, "company") {
		u.Company = new(modelText.Draw(t, "of"))
	}
	return u
}

func (m *dataModel) CreateAddress(t *rapid.T) {
	_, _ = m.svc.CreateAddress(ctxModel, m.store, modelID.Draw(t, "customer"), drawAddress(t))
}

func (m *dataModel) UpdateAddresses(t *rapid.T) {
	if modelFlag.Draw(t, "one") {
		_, _ = m.svc.UpdateAddress(ctxModel, m.store, modelID.Draw(t, "customer"), modelID.Draw(t, "id"), drawAddress(t))
		return
	}
	items := make([]service.AddressItem, rapid.IntRange(1, 2).Draw(t, "n"))
	for i := range items {
		items[i] = service.AddressItem{ID: modelID.Draw(t, "id"), AddressUpdate: drawAddress(t)}
	}
	_, _ = m.svc.UpdateAddresses(ctxModel, m.store, items)
}

func (m *dataModel) DeleteAddresses(t *rapid.T) {
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		_ = m.svc.DeleteAddress(ctxModel, m.store, modelID.Draw(t, "customer"), modelID.Draw(t, "id"))
	case 1:
		_ = m.svc.DeleteAddresses(ctxModel, m.store, modelID.Draw(t, "customer"))
	case 2:
		_ = m.svc.DeleteAddressesByID(ctxModel, m.store, []int64{modelID.Draw(t, "id"), modelID.Draw(t, "id")})
	}
}

func (m *dataModel) PutAttributes(t *rapid.T) {
	if modelFlag.Draw(t, "new") {
		_, _ = m.svc.CreateAttributes(ctxModel, m.store, []cohort.Attribute{{Name: modelText.Draw(t, "name"), Type: cohort.AttributeString}})
		return
	}
	_, _ = m.svc.UpdateAttributes(ctxModel, m.store, []cohort.AttributeUpdate{{ID: modelID.Draw(t, "id"), Name: new(modelText.Draw(t, "name"))}})
}

func (m *dataModel) DeleteAttributes(t *rapid.T) {
	_ = m.svc.DeleteAttributes(ctxModel, m.store, []int64{modelID.Draw(t, "id"), modelID.Draw(t, "id")})
}

func (m *dataModel) PutValues(t *rapid.T) {
	values := make([]cohort.AttributeValue, rapid.IntRange(1, 2).Draw(t, "n"))
	for i := range values {
		values[i] = cohort.AttributeValue{
			CustomerID: modelID.Draw(t, "customer"), AttributeID: modelID.Draw(t, "attribute"), Value: modelText.Draw(t, "value"),
		}
	}
	_, _ = m.svc.PutAttributeValues(ctxModel, m.store, values)
}

func (m *dataModel) DeleteValues(t *rapid.T) {
	_ = m.svc.DeleteAttributeValues(ctxModel, m.store, []int64{modelID.Draw(t, "id"), modelID.Draw(t, "id")})
}

func (m *dataModel) PutFormFields(t *rapid.T) {
	fields := make([]cohort.FormField, rapid.IntRange(1, 2).Draw(t, "n"))
	for i := range fields {
		fields[i] = cohort.FormField{Name: modelText.Draw(t, "name"), Value: cohort.FormValue{Type: cohort.FormText, Text: modelText.Draw(t, "value")}}
		if modelFlag.Draw(t, "of an address") {
			fields[i].AddressID = modelID.Draw(t, "address")
		} else {
			fields[i].CustomerID = modelID.Draw(t, "customer")
		}
	}
	_ = m.svc.PutFormFields(ctxModel, m.store, fields)
}

func (m *dataModel) CreateCategory(t *rapid.T) {
	_, _ = m.svc.CreateCategory(ctxModel, m.store, cohort.Category{ParentID: rapid.Int64Range(0, 2).Draw(t, "parent"), Name: modelText.Draw(t, "name")})
}

func (m *dataModel) UpdateCategory(t *rapid.T) {
	u := cohort.CategoryUpdate{Name: new(modelText.Draw(t, "name"))}
	if modelFlag.Draw(t, "more") {
		u.ParentID = new(rapid.Int64Range(0, 2).Draw(t, "parent"))
		u.Details = cohort.Details{"is_visible": json.RawMessage(fmt.Sprint(modelFlag.Draw(t, "visible")))}
	}
	_, _ = m.svc.UpdateCategory(ctxModel, m.store, modelID.Draw(t, "id"), u)
}

func (m *dataModel) DeleteCategories(t *rapid.T) {
	if modelFlag.Draw(t, "one") {
		_ = m.svc.DeleteCategory(ctxModel, m.store, modelID.Draw(t, "id"))
		return
	}
	_ = m.svc.DeleteCategories(ctxModel, m.store, cohort.CategoryFilter{IDs: []int64{modelID.Draw(t, "id"), modelID.Draw(t, "id")}})
}

func (m *dataModel) CreateProduct(t *rapid.T) {
	_, _ = m.svc.CreateProduct(ctxModel, m.store, cohort.Product{
		Name: modelText.Draw(t, "name"), Type: cohort.ProductPhysical, Weight: modelAmount(t, "weight"), Price: modelAmount(t, "price"),
		SKU: modelName.Draw(t, "sku"), BrandName: modelName.Draw(t, "brand"),
		Categories: modelIDs().Draw(t, "categories"),
	})
}

func (m *dataModel) UpdateProduct(t *rapid.T) {
	u := cohort.ProductUpdate{Price: new(modelAmount(t, "price")), SalePrice: new(modelAmount(t, "sale price"))}
	if modelFlag.Draw(t, "more") {
		u.SKU = new(modelName.Draw(t, "sku"))
		u.Categories = new(modelIDs().Draw(t, "categories"))
	}
	_, _ = m.svc.UpdateProduct(ctxModel, m.store, modelID.Draw(t, "id"), u)
}

func (m *dataModel) DeleteProducts(t *rapid.T) {
	if modelFlag.Draw(t, "one") {
		_ = m.svc.DeleteProduct(ctxModel, m.store, modelID.Draw(t, "id"))
		return
	}
	_ = m.svc.DeleteProducts(ctxModel, m.store, cohort.ProductFilter{IDs: []int64{modelID.Draw(t, "id"), modelID.Draw(t, "id")}})
}

func (m *dataModel) AssignProducts(t *rapid.T) {
	list := []cohort.ProductAssignment{{ProductID: modelID.Draw(t, "product"), TargetID: modelID.Draw(t, "category")}}
	if modelFlag.Draw(t, "add") {
		_ = m.svc.AssignProductCategories(ctxModel, m.store, list)
		return
	}
	f := cohort.ProductAssignmentFilter{TargetIDs: []int64{list[0].TargetID}}
	if modelFlag.Draw(t, "only one") {
		f.ProductIDs = []int64{list[0].ProductID}
	}
	_ = m.svc.DeleteCategoryAssignments(ctxModel, m.store, f)
}

func (m *dataModel) PutVariant(t *rapid.T) {
	product, price := modelID.Draw(t, "product"), decimal.NewNullDecimal(modelAmount(t, "price"))
	values := []cohort.OptionValue{{OptionID: 900, ValueID: 900 + modelID.Draw(t, "value")}}
	if modelFlag.Draw(t, "new") {
		_, _ = m.svc.CreateVariant(ctxModel, m.store, cohort.Variant{ProductID: product, SKU: modelName.Draw(t, "sku"), Price: price, OptionValues: values})
		return
	}
	u := cohort.VariantUpdate{SKU: new(modelName.Draw(t, "sku"))}
	if modelFlag.Draw(t, "price too") {
		u.Price = &price
	}
	_, _ = m.svc.UpdateVariant(ctxModel, m.store, product, rapid.Int64Range(1, 8).Draw(t, "id"), u)
}

func (m *dataModel) DeleteVariant(t *rapid.T) {
	_ = m.svc.DeleteVariant(ctxModel, m.store, modelID.Draw(t, "product"), rapid.Int64Range(1, 8).Draw(t, "id"))
}

// Check reads the new events and compares the copy with the store.
func (m *dataModel) Check(t *rapid.T) {
	for _, event := range allEventsOf(t, m.svc, m.store, m.last) {
		m.last = event.Number
		if err := m.apply(event); err != nil {
			t.Fatalf("event %s %+v: %v", told(event), event.EventIDs, err)
		}
	}
	if diff := cmp.Diff(m.stored(t), m.compared()); diff != "" {
		t.Fatalf("the store and its copy by events (-store +copy):\n%s", diff)
	}
}

// subject returns which resource of the copy an event changes, and whether it comes to be or ends.
func (m *dataModel) subject(e cohort.Event) (key string, isNew, ends bool) {
	switch e.Kind {
	case cohort.CustomerCreated, cohort.CustomerDeleted:
		return fmt.Sprint("customer ", e.CustomerID), e.Kind == cohort.CustomerCreated, e.Kind == cohort.CustomerDeleted
	case cohort.AddressCreated, cohort.AddressUpdated, cohort.AddressDeleted:
		return addressKey(e.CustomerID, e.AddressID), e.Kind == cohort.AddressCreated, e.Kind == cohort.AddressDeleted
	case cohort.AttributeCreated, cohort.AttributeUpdated, cohort.AttributeDeleted:
		return fmt.Sprint("attribute ", e.AttributeID), e.Kind == cohort.AttributeCreated, e.Kind == cohort.AttributeDeleted
	case cohort.AttributeValueUpdated, cohort.AttributeValueDeleted:
		key := valueOf(e.CustomerID, e.AttributeID)
		return key, m.copy[key] == nil, e.Kind == cohort.AttributeValueDeleted
	case cohort.FormFieldValueUpdated:
		key := formOf(e.CustomerID, e.AddressID)
		return key, m.copy[key] == nil, false
	case cohort.CategoryCreated, cohort.CategoryUpdated, cohort.CategoryDeleted:
		return fmt.Sprint("category ", e.CategoryID), e.Kind == cohort.CategoryCreated, e.Kind == cohort.CategoryDeleted
	case cohort.BrandCreated:
		return fmt.Sprint("brand ", e.BrandID), true, false
	case cohort.ProductCreated, cohort.ProductUpdated, cohort.ProductDeleted:
		return fmt.Sprint("product ", e.ProductID), e.Kind == cohort.ProductCreated, e.Kind == cohort.ProductDeleted
	case cohort.VariantCreated, cohort.VariantUpdated, cohort.VariantDeleted:
		return fmt.Sprint("variant ", e.ProductID, " ", e.VariantID), e.Kind == cohort.VariantCreated, e.Kind == cohort.VariantDeleted
	case cohort.StoreReplaced:
	}
	return "", false, false
}

func addressKey(customer, id int64) string { return fmt.Sprint("address ", customer, " ", id) }
func valueOf(customer, attribute int64) string {
	return fmt.Sprint("value ", customer, " ", attribute)
}
func formOf(customer, address int64) string { return fmt.Sprint("form ", customer, " ", address) }

func (m *dataModel) apply(e cohort.Event) error {
	var changes map[string][]any
	if err := json.Unmarshal(e.Changes, &changes); err != nil {
		return err
	}
	key, isNew, ends := m.subject(e)
	if key == "" {
		return fmt.Errorf("an unexpected kind")
	}
	if _, exists := m.copy[key]; exists == isNew {
		return fmt.Errorf("%s exists in the copy: %v", key, exists)
	}
	if isNew {
		m.copy[key] = fields{}
	}
	follow := changes["products"] // of a deleted category
	delete(changes, "products")
	addresses, hasAddresses := changes["addresses"] // of a deleted customer
	delete(changes, "addresses")
	for name, values := range changes {
		was := m.copy[key][name]
		if was == nil && name == "is_visible" { // it was never set
			was = values[0]
		}
		if name == "channels" && ends { // those of a new product have no event
			continue
		}
		if len(values) != 2 || !cmp.Equal(was, values[0]) || cmp.Equal(values[0], values[1]) {
			return fmt.Errorf("%s changes by %v, but in the copy it is %v", name, values, was)
		}
		m.copy[key][name] = values[1]
	}
	if !ends {
		return nil
	}
	for name, value := range m.copy[key] {
		if value != nil && e.Kind != cohort.CustomerDeleted { // which tells the group only
			return fmt.Errorf("%s %v was not told", name, value)
		}
	}
	delete(m.copy, key)
	switch e.Kind {
	case cohort.CustomerDeleted:
		n := m.forget(fmt.Sprint("address ", e.CustomerID, " "))
		m.forget(fmt.Sprint("value ", e.CustomerID, " "))
		m.forget(fmt.Sprint("form ", e.CustomerID, " "))
		if hasAddresses != (n > 0) || n > 0 && addresses[0] != float64(n) {
			return fmt.Errorf("addresses %v, in the copy %d", addresses, n)
		}
	case cohort.AddressDeleted:
		delete(m.copy, formOf(e.CustomerID, e.AddressID))
	case cohort.AttributeDeleted:
		maps.DeleteFunc(m.copy, func(key string, _ fields) bool {
			var customer, attribute int64
			n, _ := fmt.Sscanf(key, "value %d %d", &customer, &attribute)
			return n == 2 && attribute == e.AttributeID
		})
	case cohort.CategoryDeleted:
		return m.empty(float64(e.CategoryID), follow[0].([]any))
	default:
	}
	return nil
}

// empty takes the products out of a deleted category.
func (m *dataModel) empty(category float64, products []any) error {
	var in []any
	for id := range int64(100) {
		p, has := m.copy[fmt.Sprint("product ", id)]
		if !has || !slices.Contains(p["categories"].([]any), any(category)) {
			continue
		}
		in = append(in, float64(id))
		p["categories"] = slices.DeleteFunc(slices.Clone(p["categories"].([]any)), func(c any) bool { return c == any(category) })
	}
	if !slices.Equal(in, products) {
		return fmt.Errorf("products %v, in the copy %v", products, in)
	}
	return nil
}

// forget deletes the resources of the copy whose key has a prefix, and returns their number.
func (m *dataModel) forget(prefix string) (n int) {
	maps.DeleteFunc(m.copy, func(key string, _ fields) bool {
		if len(key) < len(prefix) || key[:len(prefix)] != prefix {
			return false
		}
		n++
		return true
	})
	return n
}
