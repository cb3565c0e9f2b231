package docsite

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"cohort.example/cohort/docs"
	"cohort.example/cohort/internal/markdown"
	"cohort.example/cohort/internal/reference"
	"cohort.example/cohort/internal/vendorapi"
)

// contractOf has the sections of the contract about operations, by the beginnings of their paths
// after the store. The longest beginning counts.
var contractOf = map[string][]string{
	"/v2/customer_groups":                         {"wire#customer-groups", "wire#create-update-delete", "wire#conditional-requests", "wire#count-and-filters"},
	"/v2/customers":                               {"wire#customers", "wire#create-update-delete-1", "wire#count-and-filters-1", "wire#members"},
	"/v2/customers/{customer_id}/validate":        {"wire#passwords"},
	"/v2/customers/{customer_id}/addresses":       {"wire#addresses"},
	"/v2/customers/addresses":                     {"wire#addresses"},
	"/v2/store":                                   {"wire-store#the-store"},
	"/v2/time":                                    {"wire#paths"},
	"/v2/currencies":                              {"wire-store#currencies"},
	"/v3/customers":                               {"wire-customers#listing-customers", "wire-customers#creating-updating-and-deleting-customers"},
	"/v3/customers/addresses":                     {"wire-addresses#the-address", "wire-addresses#writing", "wire-addresses#the-list", "wire-addresses#errors"},
	"/v3/customers/attributes":                    {"wire-customer-data#attributes"},
	"/v3/customers/attribute-values":              {"wire-customer-data#attribute-values"},
	"/v3/customers/form-field-values":             {"wire-customer-data#form-field-values"},
	"/v3/customers/{customer_id}/consent":         {"wire-customer-data#consent"},
	"/v3/customers/metafields":                    {"wire-metafields"},
	"/v3/customers/{customer_id}/metafields":      {"wire-metafields"},
	"/v3/customers/settings":                      {"wire-channels#customer-settings"},
	"/v3/customers/validate-credentials":          {"wire-channels#credentials"},
	"/v3/segments":                                {"wire-segments"},
	"/v3/shopper-profiles":                        {"wire-segments"},
	"/v3/channels":                                {"wire-channels#channels"},
	"/v3/settings/store":                          {"wire-store#the-profile-and-the-locale-of-v3"},
	"/v3/pricelists":                              {"wire#price-lists", "wire#lists", "wire#references-to-the-catalog"},
	"/v3/pricelists/records":                      {"wire#records", "wire#references-to-the-catalog"},
	"/v3/pricelists/{price_list_id}/records":      {"wire#records", "wire#references-to-the-catalog"},
	"/v3/pricelists/assignments":                  {"wire#assignments"},
	"/v3/pricelists/{price_list_id}/assignments":  {"wire#assignments"},
	"/v3/pricing":                                 {"wire#prices"},
	"/v3/hooks":                                   {"webhooks#signatures", "webhooks#scopes", "webhooks#delivery"},
	"/v3/catalog":                                 {"wire#catalog", "wire-catalog#fields", "wire-catalog#parameters"},
	"/v3/catalog/summary":                         {"wire-store#the-summary-of-the-catalog"},
	"/v3/catalog/brands":                          {"wire#catalog", "wire-catalog#brands"},
	"/v3/catalog/categories":                      {"wire#categories", "wire-catalog#categories"},
	"/v3/catalog/trees":                           {"wire-catalog#trees"},
	"/v3/catalog/products":                        {"wire#products", "wire-catalog#products"},
	"/v3/catalog/variants":                        {"wire#variants", "wire-catalog#variants"},
	"/v3/catalog/products/{product_id}/variants":  {"wire#variants", "wire-catalog#variants"},
	"/v3/catalog/products/{product_id}/options":   {"wire-catalog#options"},
	"/v3/catalog/products/{product_id}/modifiers": {"wire-catalog#modifiers"},
	"/cohort/v1/prices":                           {"wire#explanations"},
	"/cohort/v1/access":                           {"wire#access-checks"},
	"/cohort/v1/events":                           {"events#read-them", "events#what-they-say"},
	"/cohort/v1/groups":                           {"bulk#deleting-a-group", "bulk#cloning-a-group", "events#history"},
	"/cohort/v1/members":                          {"bulk#moving-members", "bulk#dry-run-and-confirmation"},
	"/cohort/v1/customers":                        {"events#history"},
	"/cohort/v1/hooks":                            {"webhooks#manage", "webhooks#delivery"},
}

// evidenceOf returns the parts of a page about the evidence for what it says, and about
// differences from the vendor's API.
func evidenceOf(o *reference.Operation) string {
	var b strings.Builder
	path, inStore := strings.CutPrefix(o.Path, "/stores/{store_hash}")
	b.WriteString("## Evidence\n\n")
	own := !inStore || strings.HasPrefix(path, "/cohort/")
	switch {
	case own:
		b.WriteString("Cohort's own operation [ours]. The vendor's API has none like it.\n")
	case vendorMark(o.Method, path) == vendorapi.Exact:
		b.WriteString("**Exact**: the success response follows the vendor's reference or recordings of the live service. Texts of errors may be Cohort's own.\n")
	default:
		b.WriteString("**Decided here**: there is no public information about a part of the success response, so that part is Cohort's own.\n")
	}
	if sections := sectionsOf(path); inStore && len(sections) > 0 {
		b.WriteString("\n| Section of the contract | [doc] | [seen] | [ours] |\n|---|---|---|---|\n")
		for _, name := range sections {
			s := contract()[name]
			file, fragment, _ := strings.Cut(name, "#")
			link := "../" + file + ".md"
			if fragment != "" {
				link += "#" + fragment
			}
			fmt.Fprintf(&b, "| [%s](%s) | %d | %d | %d |\n", s.title, link, s.doc, s.seen, s.ours)
		}
		b.WriteString("\nThe numbers say how many statements there have which mark: the vendor's reference says so, a recording or a published client shows it, or Cohort decides.\n")
	}
	if list := differencesOf(o.Method, path); len(list) > 0 && !own {
		b.WriteString("\n> **Differs from the vendor**\n>\n")
		for _, item := range list {
			b.WriteString("> - " + item + "\n")
		}
	}
	return b.String()
}

// vendorMark returns the mark of an operation of the vendor's API.
func vendorMark(method, path string) vendorapi.Mark {
	prefix, rest := path[:3], path[3:]
	for _, v := range vendorapi.Operations() {
		if v.Key() == vendorapi.Key(method, prefix, rest) {
			return v.Mark
		}
	}
	return vendorapi.Undecided
}

// sectionsOf returns the sections of the contract about a path after the store.
func sectionsOf(path string) []string {
	best := ""
	for beginning := range contractOf {
		if len(beginning) > len(best) && begins(path, beginning) {
			best = beginning
		}
	}
	return contractOf[best]
}

// begins reports whether a path has a beginning that ends at a segment.
func begins(path, beginning string) bool {
	rest, ok := strings.CutPrefix(path, beginning)
	return ok && (rest == "" || strings.HasPrefix(rest, "/") || strings.HasSuffix(beginning, "/"))
}

// contractSection is a section of the contract, with the numbers of its marks.
type contractSection struct {
	title           string
	doc, seen, ours int
}

// contractPages are the pages of docs/ that say how operations behave.
var contractPages = []string{"wire", "wire-addresses", "wire-catalog", "wire-channels", "wire-customer-data", "wire-customers", "wire-metafields", "wire-segments", "wire-store", "bulk", "events", "webhooks"}

// contractText returns the text of one of the contractPages.
func contractText(name string) []byte {
	text, err := docs.Pages.ReadFile(name + ".md")
	if err != nil {
		panic(err) // it is embedded
	}
	return text
}

// contract has the sections of the contractPages, by page and heading. A page has
// the marks of all its sections.
var contract = sync.OnceValue(func() map[string]*contractSection {
	found := map[string]*contractSection{}
	for _, name := range contractPages {
		source := contractText(name)
		p := markdown.Render(source, markdown.Options{Link: func(to string) (string, bool) { return to, true }})
		whole := &contractSection{title: p.Title}
		found[name] = whole
		for _, s := range p.Sections {
			part := &contractSection{title: p.Title + ": " + s.Title}
			part.count(s.Text)
			whole.count(s.Text)
			found[name+"#"+s.ID] = part
		}
	}
	return found
})

var bracketed = regexp.MustCompile(`\[[^\[\]]*\b(?:doc|seen|ours)\b[^\[\]]*\]`)

// count adds the marks of a text.
func (s *contractSection) count(text string) {
	for _, m := range bracketed.FindAllString(text, -1) {
		s.doc += min(1, strings.Count(m, "doc"))
		s.seen += min(1, strings.Count(m, "seen"))
		s.ours += min(1, strings.Count(m, "ours"))
	}
}
