package openapi_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/openapi"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
)

// referenceOperation is one operation of ours and what the reference lists for it, as
// words with a space between. What we list and it does not, or the other way
// round, is the difference; nothing else may differ.
type referenceOperation struct {
	name string
	// In the reference, the statuses of the answers, and the parameters that
	// are not in the path. Left out are Accept, which is a required header of
	// every operation there, and Content-Type, which is one where there is a body.
	statuses, params string
	// The differences: what we have more, and what we go without.
	moreStatuses, lessStatuses string
	moreParams, lessParams     string
}

// everywhere are the statuses that every operation of a store has, of which the
// reference lists none.
const everywhere = "401 403 406 429 500 503"

// withBody are those of operations that read a body.
const withBody = "400 408 413 415"

const groupFilters = "date_created date_created:max date_created:min date_modified date_modified:max date_modified:min is_default is_group_for_guests name name:like"

const customerFilters = "company customer_group_id email first_name last_name max_date_created max_date_modified max_id min_date_created min_date_modified min_id phone store_credit tax_exempt_category"

// operations has every operation that the reference has.
var operations = []referenceOperation{
	// Nothing found is 204; the reference has an empty array in its place.
	{name: "listGroups", statuses: "200", moreStatuses: "204 400 413", params: "page limit " + groupFilters},
	{name: "createGroup", statuses: "200 207", moreStatuses: withBody},
	{name: "countGroups", statuses: "200", moreStatuses: "400 413", moreParams: "page limit " + groupFilters},
	// The query is ignored, so nothing in it is wrong. That a client may ask
	// whether its copy is still good is an addition.
	{
		name: "getGroup", statuses: "200 400", moreStatuses: "304 404", lessStatuses: "400", moreParams: "If-None-Match",
		params:     "page limit name date_created date_created:max date_created:min date_modified date_modified:max date_modified:min is_default",
		lessParams: "page limit name date_created date_created:max date_created:min date_modified date_modified:max date_modified:min is_default",
	},
	{name: "updateGroup", statuses: "200 207", moreStatuses: "404 " + withBody},
	{name: "deleteGroup", statuses: "204 400", moreStatuses: "404", lessStatuses: "400"},

	{name: "listCustomers", statuses: "200", moreStatuses: "204 400 413", params: customerFilters, moreParams: "page limit"},
	{name: "createCustomer", statuses: "200", moreStatuses: withBody},
	{name: "deleteCustomers", statuses: "204", moreStatuses: "400 413", moreParams: "limit " + customerFilters},
	{name: "countCustomers", statuses: "200", moreStatuses: "400 413", moreParams: "page limit " + customerFilters},
	{name: "getCustomer", statuses: "200", moreStatuses: "404"},
	{name: "updateCustomer", statuses: "200", moreStatuses: "404 " + withBody},
	{name: "deleteCustomer", statuses: "204", moreStatuses: "404"},
	{name: "validatePassword", statuses: "200", moreStatuses: "404 " + withBody},

	{name: "listAddresses", statuses: "200", moreStatuses: "204 400 404 413", params: "page limit"},
	{name: "createAddress", statuses: "200", moreStatuses: "404 " + withBody},
	{name: "deleteAddresses", statuses: "204", moreStatuses: "400 404", params: "page limit", lessParams: "page limit"},
	{name: "countAddresses", statuses: "200", moreStatuses: "400 404 413", params: "page limit"},
	{name: "getAddress", statuses: "200", moreStatuses: "404", params: "page limit", lessParams: "page limit"},
	{name: "updateAddress", statuses: "200", moreStatuses: "404 " + withBody},
	{name: "deleteAddress", statuses: "204", moreStatuses: "404"},
}

// notInTheReference are operations that only we describe: one known from
// recordings, one from clients.
var notInTheReference = []string{"getAddressOfAny", "getTime"}

func TestOperationsThatDifferFromTheReference(t *testing.T) {
	ours := storeOperations(servedDocument(t))
	names := slices.Clone(notInTheReference)
	for _, o := range operations {
		names = append(names, o.name)
	}
	slices.Sort(names)
	if diff := cmp.Diff(names, slices.Sorted(maps.Keys(ours))); diff != "" {
		t.Errorf("operations of the tables and of the document (-tables +document):\n%s", diff)
	}
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			if ours[o.name] == nil {
				t.Fatal("the document does not have it")
			}
			more, less := apart(ours[o.name].statuses, strings.Fields(o.statuses))
			expectWords(t, "statuses that the reference lacks", more, everywhere+" "+o.moreStatuses)
			expectWords(t, "statuses that only the reference has", less, o.lessStatuses)
			more, less = apart(ours[o.name].params, strings.Fields(o.params))
			expectWords(t, "parameters that the reference lacks", more, o.moreParams)
			expectWords(t, "parameters that only the reference has", less, o.lessParams)
		})
	}
}

// There Accept and Content-Type are required headers: of every request, and of
// every one with a body. Clients leave them out. No other header is needed here
// either.
func TestNoHeaderIsRequiredHere(t *testing.T) {
	doc := servedDocument(t)
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for _, p := range append(slices.Clone(item.Parameters), op.Parameters...) {
				if p.Value.In == openapi3.ParameterInHeader && (p.Value.Required || p.Value.Name != "If-None-Match") {
					t.Errorf("%s %s has a parameter %s in the header", method, path, p.Value.Name)
				}
			}
		}
	}
}

// The body of two updates is optional there. Here an empty body is refused: who
// means to change nothing says {}.
func TestBodiesAreRequiredHere(t *testing.T) {
	ours := storeOperations(servedDocument(t))
	for _, name := range []string{"updateGroup", "updateCustomer"} {
		if o := ours[name]; o == nil || !o.bodyRequired {
			t.Errorf("%s: the body is optional, as in the reference: there is no difference any more", name)
		}
	}
}

// described is what our document says about an operation.
type described struct {
	statuses, params []string
	bodyRequired     bool
}

// storeOperations returns what the document says about the V2 operations of a
// store, by their names. The reference is that of V2.
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

// apart returns what is in the first list and not in the second, and the other
// way round.
func apart(a, b []string) (onlyA, onlyB []string) {
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

// expectWords compares lists without regard to order.
func expectWords(t *testing.T, what string, got []string, want string) {
	t.Helper()
	wanted := strings.Fields(want)
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		t.Errorf("%s:\ngot  %v\nwant %v", what, got, wanted)
	}
}

// servedDocument reads the document as it is served, and checks it.
func servedDocument(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Document)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("the document is not valid: %v", err)
	}
	return doc
}

// parseSchema reads a JSON schema, and checks it.
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

// check returns an error unless the JSON text fits the schema.
func check(t *testing.T, schema *openapi3.Schema, text string) error {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return schema.VisitJSON(value, openapi3.EnableJSONSchema2020())
}
