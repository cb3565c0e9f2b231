package exchange

import (
	"regexp"
	"strings"
	"sync"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/country"
	"cohort.example/cohort/internal/openapi"
	"cohort.example/cohort/internal/vendorapi"

	"go.yaml.in/yaml/v4"
)

// vocabulary has the words that are part of the API and so of no person.
type vocabulary struct {
	values   map[string]bool // of enumerations, such as "percent"
	names    map[string]bool // of fields and parameters
	segments map[string]bool // of paths
	words    map[string]bool // of all texts of the document, in lower case
}

// word is one of a text, or a name with underscores.
var word = regexp.MustCompile(`[\p{L}_]+`)

// contract returns the vocabulary of the OpenAPI document and of the vendor's operations.
var contract = sync.OnceValue(func() vocabulary {
	v := vocabulary{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	var document any
	if err := yaml.Unmarshal(openapi.Document, &document); err != nil {
		panic(err) // the document is a part of the program, and tests load it
	}
	v.collect(document)
	for _, text := range word.FindAll(openapi.Document, -1) {
		v.words[strings.ToLower(string(text))] = true
	}
	for _, o := range vendorapi.Operations() {
		for segment := range strings.SplitSeq(o.Path, "/") {
			if !strings.HasPrefix(segment, "{") {
				v.segments[segment] = true
			}
		}
	}
	// The vendor's list has some resources as one line, without what is below them.
	for segment := range strings.FieldsSeq("products shipping_addresses shipments coupons refunds transactions messages taxes consignments count items") {
		v.segments[segment] = true
	}
	return v
})

// collect adds the words of a part of the document.
func (v vocabulary) collect(part any) {
	switch part := part.(type) {
	case map[string]any:
		for key, value := range part {
			v.collectKey(key, value)
			v.collect(value)
		}
	case []any:
		for _, item := range part {
			v.collect(item)
		}
	}
}

func (v vocabulary) collectKey(key string, value any) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			if text, ok := item.(string); ok && key == "enum" {
				v.values[text] = true
			}
		}
	case map[string]any:
		if key == "properties" {
			for name := range value {
				v.names[name] = true
			}
		}
	case string:
		if key == "name" {
			v.names[value] = true
		}
	}
}

// personal are the keys whose values describe a person, or may. No word of the contract is
// kept there, and numbers are replaced too. Everything else that nothing proves harmless is
// replaced as well, so a key that is missing here is no leak.
var personal = map[string]bool{}

func init() {
	for key := range strings.FieldsSeq(`first_name last_name name full_name company email phone fax mobile notes comments message_to
		street_1 street_2 address address1 address2 address_line_1 address_line_2 city state state_or_province zip zip_code postal_code
		latitude longitude value attribute_value values birthday date_of_birth ip_address registration_ip_address tax_id vat_number
		customer_message staff_notes billing_address shipping_addresses`) {
		personal[key] = true
	}
}

var (
	numericForm  = regexp.MustCompile(`^-?\d{1,15}(?:\.\d{1,8})?$`)
	colorForm    = regexp.MustCompile(`^#[0-9a-fA-F]{3,8}$`)
	codeForm     = regexp.MustCompile(`^[A-Za-z]{2,3}(?:[-_][A-Za-z]{2,4})?$`)
	amountKey    = regexp.MustCompile(`^(?:amount|store_credit|quantity|quantity_min|quantity_max|tax_rate|currency_exchange_rate)$|price|(?:^|_)(?:cost|total|weight|width|height|depth)$`)
	dateKey      = regexp.MustCompile(`^date_(?:created|modified|updated|shipped)$|^(?:created|updated|deleted|modified|expires|purged|last_ran)_at$|^(?:min|max)_date_(?:created|modified)$`)
	dateValue    = regexp.MustCompile(`^(?:\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4})$`)
	codeKey      = regexp.MustCompile(`^(?:country_code|country_iso2|country_iso3|currency|currency_code|default_currency_code|token_location|language|locale)$`)
	idKey        = regexp.MustCompile(`^(?:id|uuid)$|_ids?$|_uuid$`)
	keyForm      = regexp.MustCompile(`^[A-Za-z0-9_.:\-]{1,64}$`)
	wordListForm = regexp.MustCompile(`^[a-z0-9_,.:]{1,500}$`)
)

// isHarmless reports whether a value of a key can be written as it is.
func isHarmless(key, value string) bool {
	switch {
	case value == "" || value == "true" || value == "false":
		return true
	case key == "country" && len(value) > 1:
		_, known := country.Lookup(value)
		return known
	case personal[key]:
		return false
	case contract().values[value] || colorForm.MatchString(value):
		return true
	case amountKey.MatchString(key):
		return numericForm.MatchString(value)
	case dateKey.MatchString(key):
		return dateValue.MatchString(value)
	case codeKey.MatchString(key):
		return codeForm.MatchString(value)
	case idKey.MatchString(key):
		return cohort.IsUUID(value) || numericForm.MatchString(value)
	}
	return false
}

// isKnownText reports whether a body that is not JSON is a text of the API itself.
func isKnownText(text string) bool {
	switch text {
	case "", "null", "X-Auth-Token header is required", "X-Auth-Token header should have correct format", "The route is not found, check the URL":
		return true
	}
	return false
}
