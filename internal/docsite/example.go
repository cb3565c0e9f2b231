package docsite

import (
	"cmp"
	"net/http"
	"strings"

	"cohort.example/cohort/internal/reference"
	"cohort.example/cohort/internal/snippet"
)

// What the examples of the reference call: a development server with the content of
// docs/example.yaml.
const (
	exampleURL   = "http://127.0.0.1:8080"
	exampleStore = "demo"
	exampleToken = "demo-token"
	// SegmentID and ProfileID stand for ids that are random in each store.
	SegmentID      = "7d0c9a52-1f7e-4bb2-9d53-0e4f5c7c1a11"
	ProfileID      = "2c4f8d10-93b6-4a57-8e2f-6b1d0a9e7c33"
	OtherProfileID = "c3a1e7f2-58d4-4b09-a6c2-90f1d7b35e48"
)

// Example is the example of an operation.
type Example struct {
	Operation *reference.Operation
	Request   snippet.Request
	// First is the operation whose example has to run before; "": none.
	First string
}

// exampleValues are what an example has besides the usual values.
type exampleValues struct {
	path  map[string]string // in place of usualPath
	query string
	body  string // a JSON text, in place of the first example of the document
	first string // the operation whose example has to run before
}

// usualPath has the values of parameters of paths in the store of the examples.
var usualPath = map[string]string{
	"store_hash": exampleStore, "hash": exampleStore, "id": "1", "customer_id": "1", "product_id": "1", "category_id": "2", "brand_id": "1",
	"channel_id": "2", "tree_id": "1", "price_list_id": "1", "variant_id": "2", "currency_code": "USD", "webhook_id": "1", "delivery_id": "1",
	"metafield_id": "1", "option_id": "1", "modifier_id": "2", "value_id": "1", "image_id": "1", "custom_field_id": "1", "name": "base",
	"segment_uuid": SegmentID, "shopper_profile_uuid": ProfileID,
}

// Examples returns the example of each operation, in the order of the document.
func Examples() []Example {
	var list []Example
	for _, o := range reference.API().Operations {
		list = append(list, exampleOf(o))
	}
	return list
}

func exampleOf(o *reference.Operation) Example {
	values := valuesOfExamples[o.ID]
	url := exampleURL + o.Path
	for _, p := range o.Parameters {
		if p.In == "path" {
			url = strings.ReplaceAll(url, "{"+p.Name+"}", cmp.Or(values.path[p.Name], usualPath[p.Name]))
		}
	}
	if values.query != "" {
		url += "?" + values.query
	}
	r := snippet.Request{Method: o.Method, URL: url, Stream: o.Streams()}
	if o.OfStore() {
		r.Header = append(r.Header, snippet.Header{Name: "X-Auth-Token", Value: exampleToken})
	}
	if body := bodyOf(o, values); body != "" {
		r.Header = append(r.Header, snippet.Header{Name: "Content-Type", Value: "application/json"})
		r.Body = snippet.JSON(body)
	}
	return Example{o, r, values.first}
}

// bodyOf returns the body of an example; "": it has none.
func bodyOf(o *reference.Operation, values exampleValues) string {
	b := o.Body()
	if b == nil || o.Method == http.MethodGet {
		return ""
	}
	if values.body != "" {
		return values.body
	}
	if list := reference.API().ExamplesOf(b.Value); len(list) > 0 {
		return list[0].Text
	}
	return ""
}
