package openapi_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// The vendor publishes an OpenAPI file for V2 customers. Cohort does not follow it where
// it contradicts itself, recordings of the live service, or working clients;
// docs/wire.md lists these differences. The tests in this package fail when a difference
// no longer exists. It has to be removed from both then.

// difference is a schema of the reference that differs from ours.
type difference struct {
	name string
	// reference is the reference's JSON schema, reduced to the difference.
	reference string
	// ours is the name of the corresponding schema in our document.
	ours string
	// sent has real values. All conform to our schema. None conforms to the reference's
	// schema, or all do if it is looser.
	sent   []string
	looser bool
	// theirs conforms to the reference's schema and not to ours. It shows that the
	// reference's schema can be satisfied.
	theirs string
}

// The values of the responses below, as the server sends them.
const (
	groupSent = `{"id":1,"name":"Wholesale","category_access":{"type":"all"},"discount_rules":RULES,` +
		`"date_created":"2023-07-17 06:30:41","date_modified":"2023-07-25 01:15:19","is_group_for_guests":false,"is_default":true}`
	customerSent = `{"id":1,"company":"","first_name":"Jane","last_name":"Doe","email":"jane.doe@example.com","phone":"","form_fields":null,` +
		`"date_created":"Tue, 13 Nov 2012 21:16:41 +0000","date_modified":"Tue, 13 Nov 2012 21:16:41 +0000","store_credit":"0.0000",` +
		`"registration_ip_address":"","customer_group_id":0,"notes":"","tax_exempt_category":"","reset_pass_on_login":false,"accepts_marketing":false,` +
		`"addresses":{"url":"http://127.0.0.1:8080/stores/demo/v2/customers/1/addresses","resource":"/customers/1/addresses"}}`
	addressSent = `{"id":1,"customer_id":1,"first_name":"Jane","last_name":"Doe","company":"","street_1":"123 Main Street","street_2":"","city":"Austin",` +
		`"state":"Texas","zip":"78726","country":"United States","country_iso2":"US","phone":"","address_type":"residential","form_fields":null}`
)

func groupWithRules(rules string) string { return strings.Replace(groupSent, "RULES", rules, 1) }

var differences = []difference{
	// Customer groups.
	{
		// The four arrays differ in one field, and no field is required. A value that
		// conforms to one conforms to several, but oneOf allows only one.
		name: "discount_rules of a response conforms to several schemas of a oneOf",
		reference: `{"properties":{"discount_rules":{"oneOf":[
			{"type":"array","items":{"properties":{"type":{"enum":["price_list","all","category","product"]},"amount":{"type":"string"},"price_list_id":{"type":"integer"}}}},
			{"type":"array","items":{"properties":{"type":{"enum":["price_list","all","category","product"]},"amount":{"type":"string"},"category_id":{"type":"integer"}}}},
			{"type":"array","items":{"properties":{"type":{"enum":["price_list","all","category","product"]},"amount":{"type":"string"},"product_id":{"type":"integer"}}}},
			{"type":"array","items":{"properties":{"type":{"enum":["price_list","all","category","product"]},"amount":{"type":"string"}}}}]}}}`,
		ours: "Group",
		sent: []string{
			groupWithRules(`[]`),
			groupWithRules(`[{"type":"all","method":"percent","amount":"5.0000"}]`),
			groupWithRules(`[{"type":"category","category_id":18,"method":"price","amount":"2.5000"}]`),
			groupWithRules(`[{"type":"product","product_id":77,"method":"fixed","amount":"9.9900"}]`),
			groupWithRules(`[{"type":"price_list","price_list_id":3}]`),
		},
		// Only rules with three invalid fields conform to exactly one schema.
		theirs: groupWithRules(`[{"type":"all","amount":"5.0000","price_list_id":"x","category_id":"x","product_id":"x"}]`),
	},
	{
		name:      "category and product rules of a response have no method and amount",
		reference: `{"type":"array","items":{"properties":{"method":false,"amount":false}}}`,
		ours:      "DiscountRules",
		sent: []string{
			`[{"type":"category","category_id":18,"method":"price","amount":"2.5000"}]`,
			`[{"type":"product","product_id":77,"method":"fixed","amount":"9.9900"}]`,
		},
		theirs: `[{"type":"category","category_id":18}]`,
	},
	{
		name:      "a price list rule in a request requires price_list instead of price_list_id",
		reference: `{"type":"array","items":{"type":"object","required":["type","price_list"],"properties":{"type":{"const":"price_list"},"price_list_id":{"type":"integer"}}}}`,
		ours:      "DiscountRulesInput",
		sent:      []string{`[{"type":"price_list","price_list_id":3}]`},
		theirs:    `[{"type":"price_list","price_list":3}]`,
	},
	{
		// It conforms to the array of price list rules and to the array of other rules.
		name: "an empty discount_rules in a request conforms to two schemas of a oneOf",
		reference: `{"properties":{"discount_rules":{"oneOf":[
			{"type":"array","items":{"required":["type","price_list"],"properties":{"type":{"const":"price_list"}}}},
			{"type":"array","items":{"required":["type","method","amount","category_id"],"properties":{"type":{"const":"category"}}}}]}}}`,
		ours:   "GroupUpdate",
		sent:   []string{`{"discount_rules":[]}`},
		theirs: `{"discount_rules":[{"type":"price_list","price_list":3}]}`,
	},
	{
		name:      "an amount in a request is a string by the schema, and a number or a string by the text",
		reference: `{"properties":{"amount":{"type":"string"}}}`,
		ours:      "DiscountRuleInput",
		sent:      []string{`{"type":"all","method":"percent","amount":5}`, `{"type":"all","method":"percent","amount":2.5}`},
		theirs:    `{"type":"all","method":"percent","amount":"five"}`,
	},
	{
		name:      "a sitewide rule in a request needs neither method nor amount",
		reference: `{"type":"object","required":["type"],"properties":{"type":{"const":"all"},"method":{"enum":["percent","fixed","price"]},"amount":{"type":"string"}}}`,
		ours:      "DiscountRuleInput",
		sent:      []string{`{"type":"all","method":"percent","amount":"5.0000"}`},
		looser:    true,
		theirs:    `{"type":"all"}`,
	},
	{
		name:      "a new group needs no name by the schema, and one by the text",
		reference: `{"type":"object","properties":{"name":{"type":"string"}}}`,
		ours:      "GroupCreate",
		sent:      []string{`{"name":"Wholesale"}`},
		looser:    true,
		theirs:    `{}`,
	},
	{
		name:      "date filters of groups are date-times by the schema, and days too by the text",
		reference: `{"type":"string","pattern":"^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$"}`,
		ours:      "DateFilter",
		sent:      []string{`"2018-09-05"`, `"2018-09-05T13:43:54"`},
		// Cohort accepts every date-time, so there is no "theirs".
	},
	{
		name:      "a page of the reference updates a group with an array",
		reference: `{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"}}}}`,
		ours:      "GroupUpdate",
		sent:      []string{`{"name":"Wholesale EU"}`},
		theirs:    `[{"name":"Wholesale EU"}]`,
	},

	// Errors and counts.
	{
		name:      "the errors of GET and DELETE are an object with a list",
		reference: `{"type":"object","properties":{"errors":{"type":"array","items":{"type":"object","properties":{"status":{"type":"integer"},"title":{"type":"string"},"type":{"type":"string"}}}}}}`,
		ours:      "Errors",
		sent: []string{
			`[{"status":404,"message":"The requested resource was not found."}]`,
			`[{"status":400,"message":"The field 'limit' is invalid.","details":{"invalid_reason":"The value must be a whole number from 1."}}]`,
		},
		theirs: `{"errors":[{"status":404,"title":"Not found","type":"about:blank"}]}`,
	},
	{
		name:      "a count may be a fraction, or missing",
		reference: `{"type":"object","properties":{"count":{"type":"number"}}}`,
		ours:      "Count",
		sent:      []string{`{"count":27}`, `{"count":0}`},
		looser:    true,
		theirs:    `{"count":27.5}`,
	},

	// Customers.
	{
		name:      "a new customer has no email",
		reference: closed("_authentication", "company", "first_name", "last_name", "phone", "date_modified", "store_credit", "registration_ip_address", "customer_group_id", "notes", "tax_exempt_category"),
		ours:      "CustomerCreate",
		sent:      []string{`{"first_name":"Jane","last_name":"Doe","email":"jane.doe@example.com"}`},
		theirs:    `{"first_name":"Jane","last_name":"Doe"}`,
	},
	{
		name:      "a new customer has no reset_pass_on_login, and an updated one has",
		reference: `{"type":"object","properties":{"reset_pass_on_login":false}}`,
		ours:      "CustomerCreate",
		sent:      []string{`{"first_name":"Jane","last_name":"Doe","email":"jane.doe@example.com","reset_pass_on_login":true}`},
		theirs:    `{"first_name":"Jane","last_name":"Doe"}`,
	},
	{
		name:      "a new customer can be given its date_modified by the schema, and not by the text",
		reference: `{"type":"object","properties":{"date_modified":{"type":"string"}}}`,
		ours:      "CustomerCreate",
		sent:      []string{`{"first_name":"Jane","last_name":"Doe","email":"jane.doe@example.com"}`},
		looser:    true,
		theirs:    `{"first_name":"Jane","last_name":"Doe","email":"jane.doe@example.com","date_modified":"Tue, 13 Nov 2012 21:16:41 +0000"}`,
	},
	{
		name:      "the store_credit of a new customer is an integer, and elsewhere a string",
		reference: `{"type":"object","properties":{"store_credit":{"type":"integer"}}}`,
		ours:      "CustomerCreate",
		sent: []string{
			`{"first_name":"Jane","last_name":"Doe","email":"jane.doe@example.com","store_credit":"12.50"}`,
			`{"first_name":"Jane","last_name":"Doe","email":"jane.doe@example.com","store_credit":12.5}`,
		},
		theirs: `{"first_name":"Jane","last_name":"Doe","email":"jane.doe@example.com","store_credit":-5}`,
	},
	{
		name:      "the store_credit of an updated customer is a string, though the text takes numbers too",
		reference: `{"type":"object","properties":{"store_credit":{"type":"string"}}}`,
		ours:      "CustomerUpdate",
		sent:      []string{`{"store_credit":12.5}`, `{"store_credit":12}`},
		theirs:    `{"store_credit":"a little"}`,
	},
	{
		name:      "the addresses of an updated customer can be written, and are not said to be read-only as in the text",
		reference: `{"type":"object","properties":{"addresses":{"type":"object","properties":{"url":{"type":"string"},"resource":{"type":"string"}}}}}`,
		ours:      "CustomerUpdate",
		sent:      []string{`{"phone":"1234567890"}`},
		looser:    true,
		theirs:    `{"addresses":{"resource":"/customers/5/addresses"}}`,
	},
	{
		name:      "the response to an update of a customer has no id and no dates",
		reference: closed("_authentication", "company", "first_name", "last_name", "email", "phone", "store_credit", "registration_ip_address", "customer_group_id", "notes", "tax_exempt_category", "accepts_marketing", "addresses", "form_fields", "reset_pass_on_login"),
		ours:      "Customer",
		sent:      []string{customerSent},
		theirs:    `{"first_name":"Jane","last_name":"Doe","email":"jane.doe@example.com"}`,
	},
	{
		name:      "a response has _authentication by the schema, and not by the text",
		reference: `{"type":"object","required":["first_name","last_name","email"],"properties":{"_authentication":{"type":"object"}}}`,
		ours:      "Customer",
		sent:      []string{customerSent},
		looser:    true,
		theirs:    strings.Replace(customerSent, `"id":1,`, `"id":1,"_authentication":{},`, 1),
	},
	{
		// It may be null in the schema of a response, which is what clients get.
		name:      "form_fields is an array and not null in the schema of an update",
		reference: `{"type":"object","properties":{"form_fields":{"type":"array"}}}`,
		ours:      "Customer",
		sent:      []string{customerSent},
		theirs:    strings.Replace(customerSent, `"form_fields":null`, `"form_fields":[]`, 1),
	},

	// Passwords.
	{
		name:      "the result of a password check is a string by the text, and a boolean by the schema",
		reference: `{"type":"object","properties":{"success":{"enum":["true","false"]}}}`,
		ours:      "PasswordResult",
		sent:      []string{`{"success":true}`, `{"success":false}`},
		theirs:    `{"success":"true"}`,
	},
	{
		name:      "a password check does not require a password",
		reference: `{"type":"object","properties":{"password":{"type":"string"}}}`,
		ours:      "PasswordAttempt",
		sent:      []string{`{"password":"12345"}`},
		looser:    true,
		theirs:    `{}`,
	},

	// Addresses.
	{
		name:      "an address has no form_fields",
		reference: closed("id", "customer_id", "first_name", "last_name", "company", "street_1", "street_2", "city", "state", "zip", "country", "country_iso2", "phone", "address_type"),
		ours:      "Address",
		sent:      []string{addressSent},
		theirs:    strings.Replace(addressSent, `,"form_fields":null`, ``, 1),
	},
	{
		name:      "an update of an address has every required field",
		reference: `{"type":"object","required":["first_name","last_name","phone","street_1","city","state","zip","country"]}`,
		ours:      "AddressUpdate",
		sent:      []string{`{}`, `{"city":"Dallas"}`},
		theirs: `{"first_name":"Jane","last_name":"Doe","phone":"","street_1":"123 Main Street","city":"Austin","state":"Texas","zip":"78726","country":"United States",` +
			`"id":3}`,
	},
}

// closed returns the schema of an object with these fields and no others.
func closed(fields ...string) string {
	properties := map[string]bool{}
	for _, f := range fields {
		properties[f] = true
	}
	schema, err := json.Marshal(map[string]any{"type": "object", "additionalProperties": false, "properties": properties})
	if err != nil {
		panic(err)
	}
	return string(schema)
}

func TestSchemasThatDifferFromTheReference(t *testing.T) {
	doc := load(t)
	for _, d := range differences {
		t.Run(d.name, func(t *testing.T) {
			ours := doc.Components.Schemas[d.ours]
			if ours == nil {
				t.Fatalf("the document has no schema %s", d.ours)
			}
			reference := parseSchema(t, d.reference)
			for _, sent := range d.sent {
				if err := check(t, ours.Value, sent); err != nil {
					t.Errorf("%s does not conform to our %s: %v", sent, d.ours, err)
				}
				if err := check(t, reference, sent); (err == nil) != d.looser {
					t.Errorf("%s conforms to the reference: %v, want %v", sent, err == nil, d.looser)
				}
			}
			if d.theirs == "" {
				return
			}
			if err := check(t, reference, d.theirs); err != nil {
				t.Errorf("%s does not conform to the reference: %v", d.theirs, err)
			}
			if check(t, ours.Value, d.theirs) == nil {
				t.Errorf("%s conforms to our %s: remove this difference", d.theirs, d.ours)
			}
		})
	}
}
