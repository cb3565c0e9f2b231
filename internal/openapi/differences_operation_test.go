package openapi_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
)

// referenceOperation is an operation as the reference lists it, and the differences to
// our document. All lists are words separated by spaces. There must be no other
// differences.
type referenceOperation struct {
	name string
	// The statuses and the parameters in the reference, without path parameters and
	// without the required headers Accept and Content-Type.
	statuses, params string
	// What only our document has (more), and what only the reference has (less).
	moreStatuses, lessStatuses string
	moreParams, lessParams     string
}

// everywhere has the statuses of every operation of a store. The reference lists none of
// them.
const everywhere = "401 403 406 429 500 503"

// withBody has the additional statuses of operations with a body.
const withBody = "400 408 413 415"

// withKey has the additional statuses of operations with an idempotency key.
const withKey = " 409 422"

const groupFilters = "date_created date_created:max date_created:min date_modified date_modified:max date_modified:min is_default is_group_for_guests name name:like"

const customerFilters = "company customer_group_id email first_name last_name max_date_created max_date_modified max_id min_date_created min_date_modified min_id phone store_credit tax_exempt_category"

// operations has all operations of the reference.
var operations = []referenceOperation{
	// An empty list is 204. The reference has an empty array.
	{name: "listGroups", statuses: "200", moreStatuses: "204 400 413", params: "page limit " + groupFilters},
	{name: "createGroup", statuses: "200 207", moreStatuses: withBody + withKey, moreParams: "Idempotency-Key"},
	{name: "countGroups", statuses: "200", moreStatuses: "400 413", moreParams: "page limit " + groupFilters},
	// The query string is ignored, so there is no 400. Conditional requests are an
	// addition of Cohort.
	{
		name: "getGroup", statuses: "200 400", moreStatuses: "304 404", lessStatuses: "400", moreParams: "If-None-Match",
		params:     "page limit name date_created date_created:max date_created:min date_modified date_modified:max date_modified:min is_default",
		lessParams: "page limit name date_created date_created:max date_created:min date_modified date_modified:max date_modified:min is_default",
	},
	{name: "updateGroup", statuses: "200 207", moreStatuses: "404 412 " + withBody, moreParams: "If-Match"},
	{name: "deleteGroup", statuses: "204 400", moreStatuses: "404 412", moreParams: "If-Match"},

	{name: "listCustomers", statuses: "200", moreStatuses: "204 400 413", params: customerFilters, moreParams: "page limit"},
	{name: "createCustomer", statuses: "200", moreStatuses: withBody + withKey, moreParams: "Idempotency-Key"},
	{name: "deleteCustomers", statuses: "204", moreStatuses: "400 413", moreParams: "limit " + customerFilters},
	{name: "countCustomers", statuses: "200", moreStatuses: "400 413", moreParams: "page limit " + customerFilters},
	{name: "getCustomer", statuses: "200", moreStatuses: "404"},
	{name: "updateCustomer", statuses: "200", moreStatuses: "404 " + withBody},
	{name: "deleteCustomer", statuses: "204", moreStatuses: "404"},
	{name: "validatePassword", statuses: "200", moreStatuses: "404 " + withBody},

	{name: "listAddresses", statuses: "200", moreStatuses: "204 400 404 413", params: "page limit"},
	{name: "createAddress", statuses: "200", moreStatuses: "404 " + withBody + withKey, moreParams: "Idempotency-Key"},
	{name: "deleteAddresses", statuses: "204", moreStatuses: "400 404", params: "page limit", lessParams: "page limit"},
	{name: "countAddresses", statuses: "200", moreStatuses: "400 404 413", params: "page limit"},
	{name: "getAddress", statuses: "200", moreStatuses: "404", params: "page limit", lessParams: "page limit"},
	{name: "updateAddress", statuses: "200", moreStatuses: "404 " + withBody},
	{name: "deleteAddress", statuses: "204", moreStatuses: "404"},

	{name: "getStore", statuses: "200", moreStatuses: "404"},
	{name: "listCurrencies", statuses: "200", moreStatuses: "204 400 404 413", params: "page limit"},
	{name: "getCurrency", statuses: "200", moreStatuses: "404"},
}

// notInTheReference has the operations that only our document has. One is known from
// recordings, one from clients.
var notInTheReference = []string{"getAddressOfAny", "getTime"}

func TestOperationsThatDifferFromTheReference(t *testing.T) {
	ours := storeOperations(load(t))
	names := slices.Clone(notInTheReference)
	for _, o := range operations {
		names = append(names, o.name)
	}
	slices.Sort(names)
	if diff := cmp.Diff(names, slices.Sorted(maps.Keys(ours))); diff != "" {
		t.Errorf("operations (-tables +document):\n%s", diff)
	}
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			if ours[o.name] == nil {
				t.Fatal("the document does not have the operation")
			}
			more, less := compare(ours[o.name].statuses, strings.Fields(o.statuses))
			expectWords(t, "statuses that only the document has", more, everywhere+" "+o.moreStatuses)
			expectWords(t, "statuses that only the reference has", less, o.lessStatuses)
			more, less = compare(ours[o.name].params, strings.Fields(o.params))
			expectWords(t, "parameters that only the document has", more, o.moreParams)
			expectWords(t, "parameters that only the reference has", less, o.lessParams)
		})
	}
}

// optionalHeaders are additions of Cohort.
var optionalHeaders = []string{"Idempotency-Key", "If-Match", "If-None-Match"}

// The reference requires the headers Accept and, for requests with a body, Content-Type.
// Clients omit them, so the document requires no header.
func TestNoRequiredHeaders(t *testing.T) {
	doc := load(t)
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for _, p := range append(slices.Clone(item.Parameters), op.Parameters...) {
				if p.Value.In == openapi3.ParameterInHeader && (p.Value.Required || !slices.Contains(optionalHeaders, p.Value.Name)) {
					t.Errorf("%s %s has the header parameter %s", method, path, p.Value.Name)
				}
			}
		}
	}
}

// The reference has two updates with an optional body. Cohort rejects an empty body; {}
// changes nothing.
func TestUpdateBodiesAreRequired(t *testing.T) {
	ours := storeOperations(load(t))
	for _, name := range []string{"updateGroup", "updateCustomer"} {
		if o := ours[name]; o == nil || !o.bodyRequired {
			t.Errorf("%s: the body is optional, as in the reference: remove this difference", name)
		}
	}
}

// described has the properties of an operation in the document.
type described struct {
	statuses, params []string
	bodyRequired     bool
}

// storeOperations returns the V2 operations of a store by their names. The reference
// covers V2 only.
func storeOperations(doc *openapi3.T) map[string]*described {
	ops := map[string]*described{}
	for path, item := range doc.Paths.Map() {
		if !strings.HasPrefix(path, "/stores/{store_hash}/v2/") {
			continue
		}
		for _, op := range item.Operations() {
			d := &described{bodyRequired: op.RequestBody != nil && op.RequestBody.Value.Required}
			d.statuses = slices.Collect(maps.Keys(op.Responses.Map()))
			for _, p := range append(slices.Clone(item.Parameters), op.Parameters...) {
				if p.Value.In != openapi3.ParameterInPath {
					d.params = append(d.params, p.Value.Name)
				}
			}
			ops[op.OperationID] = d
		}
	}
	return ops
}

// compare returns the words that are only in the first list, and those that are only in
// the second.
func compare(a, b []string) (onlyA, onlyB []string) {
	without := func(list, other []string) (left []string) {
		for _, word := range list {
			if !slices.Contains(other, word) {
				left = append(left, word)
			}
		}
		return left
	}
	return without(a, b), without(b, a)
}

// expectWords compares lists, ignoring their order.
func expectWords(t *testing.T, what string, got []string, want string) {
	t.Helper()
	wanted := strings.Fields(want)
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		t.Errorf("%s:\ngot  %v\nwant %v", what, got, wanted)
	}
}

// parseSchema parses and validates a JSON schema.
func parseSchema(t *testing.T, text string) *openapi3.Schema {
	t.Helper()
	schema := &openapi3.Schema{}
	if err := json.Unmarshal([]byte(text), schema); err != nil {
		t.Fatalf("%v in the schema %s", err, text)
	}
	if err := schema.Validate(t.Context(), openapi3.IsOpenAPI31OrLater()); err != nil {
		t.Fatalf("%v in the schema %s", err, text)
	}
	return schema
}

// check returns an error unless the JSON text conforms to the schema.
func check(t *testing.T, schema *openapi3.Schema, text string) error {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return schema.VisitJSON(value, openapi3.EnableJSONSchema2020())
}
