package console

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/snippet"
)

// oneRow is the first page of a list that has one row at most.
var oneRow = cohort.Page{Number: 1, Size: 1}

// shopperKinds are for whom a question is.
var shopperKinds = []option{{"customer", "a customer"}, {"group", "a group"}, {"guest", "a guest"}}

// asked reports whether the address asks something.
func (c *call) asked() bool { return c.r.URL.RawQuery != "" }

// askedShopper returns for whom the address asks. It returns KindInvalid, with the name of
// the input, for a shopper that cannot be found.
func (c *call) askedShopper() (q service.ShopperQuery, err error) {
	text := c.query("id")
	switch c.query("for") {
	case "guest":
		return q, nil
	case "group":
		id, err := askedID("id", text, 0, "Give the id of a group, or 0 for a shopper in no group.")
		q.GroupID = &id
		return q, err
	case "customer", "":
	default:
		return q, cohort.Invalid("for", "Prices are for a customer, a group or a guest.")
	}
	if strings.Contains(text, "@") {
		q.CustomerID, err = c.customerByEmail(text)
		return q, err
	}
	q.CustomerID, err = askedID("id", text, 1, "Give the id or the e-mail of a customer.")
	return q, err
}

// askedID reads an id, which is at least as high as the lowest.
func askedID(field, text string, lowest int64, wanted string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < lowest {
		return 0, cohort.Invalid(field, wanted)
	}
	return id, nil
}

func (c *call) customerByEmail(email string) (int64, error) {
	list, err := c.Service.ListCustomers(c.ctx(), c.store.Key, cohort.CustomerFilter{Email: &email}, oneRow)
	if err != nil {
		return 0, err
	}
	if len(list) == 0 {
		return 0, cohort.Invalid("id", fmt.Sprintf("There is no customer with the e-mail %s.", email))
	}
	return list[0].ID, nil
}

// askedProduct returns the product that the address names, by its id or a SKU, and the
// variant if the SKU is that of one. A number that is no product is a SKU. A product of the
// past, which may be deleted, needs its id.
func (c *call) askedProduct(past bool) (p cohort.Product, variant int64, err error) {
	text := c.query("product")
	if text == "" {
		return p, 0, cohort.Invalid("product", "Give the id or the SKU of a product.")
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err == nil && id > 0 {
		p, err = c.Service.Product(c.ctx(), c.store.Key, id)
		if past && cohort.KindOf(err) == cohort.KindNotFound {
			return cohort.Product{ID: id}, 0, nil
		}
		if err == nil || cohort.KindOf(err) != cohort.KindNotFound {
			return p, 0, err
		}
	}
	return c.productBySKU(text)
}

func (c *call) productBySKU(sku string) (p cohort.Product, variant int64, err error) {
	var products rows[cohort.Product]
	_, err = c.Service.ReadProducts(c.ctx(), c.store.Key, cohort.ProductFilter{SKU: &sku}, cohort.ProductOrder{}, oneRow, &products)
	if err != nil {
		return p, 0, err
	}
	if len(products.list) > 0 {
		return products.list[0], 0, nil
	}
	var variants rows[service.CatalogVariant]
	if _, err = c.Service.ReadVariants(c.ctx(), c.store.Key, cohort.VariantFilter{SKUs: []string{sku}}, oneRow, &variants); err != nil {
		return p, 0, err
	}
	if len(variants.list) == 0 {
		return p, 0, cohort.Invalid("product", fmt.Sprintf("There is no product with the id or the SKU %s.", sku))
	}
	v := variants.list[0]
	p, err = c.Service.Product(c.ctx(), c.store.Key, v.ProductID)
	return p, v.ID, err
}

// askedNumber returns a number of at least 1 in the address, or another one if there is none.
func (c *call) askedNumber(field string, otherwise int64, wanted string) (int64, error) {
	text := c.query(field)
	if text == "" {
		return otherwise, nil
	}
	return askedID(field, text, 1, wanted)
}

// timeForms are the forms in which people write a time. Without a zone it is in UTC.
var timeForms = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly}

// askedTime returns a time in the address; the zero time: there is none.
func (c *call) askedTime(field string) (time.Time, error) {
	text := c.query(field)
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range timeForms {
		if at, err := time.Parse(form, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, cohort.Invalid(field, "Give a time in UTC, such as 2026-11-03 or 2026-11-03 14:30.")
}

// storeCurl returns the command for a request to the API of the store. body is encoded as JSON; nil
// sends none.
func (c *call) storeCurl(path string, body any) string {
	token := "$TOKEN"
	if c.Tests != nil && c.Tests.Store == c.store.Hash && c.Tests.Secret != "" {
		token = c.Tests.Secret
	}
	text := fmt.Sprintf("curl %s -H %s", snippet.Word(c.APIURL+"/stores/"+c.store.Hash+path), `"X-Auth-Token: `+token+`"`)
	if body == nil {
		return text
	}
	sent, err := json.Marshal(body)
	if err != nil {
		panic(err) // the pages send numbers and texts only
	}
	return text + " \\\n  -H 'Content-Type: application/json' -d " + snippet.Word(string(sent))
}
