package openapi_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestCatalogHasTheFieldsOfTheReference checks that the document has every field and every
// parameter of the vendor's reference.
func TestCatalogHasTheFieldsOfTheReference(t *testing.T) {
	doc := load(t)
	reference := readReference(t)
	checked := map[string]bool{}
	parameters := func(t *testing.T, name string, have []string) {
		t.Helper()
		checked[name] = true
		for _, parameter := range reference[name+": query"] {
			if !slices.Contains(have, parameter) {
				t.Errorf("the list does not have the parameter %s", parameter)
			}
		}
	}
	for _, r := range catalogResources {
		t.Run(r.name, func(t *testing.T) {
			described := describe(t, doc, r)
			for _, name := range reference[r.name+": body"] {
				if described.fields[name] == nil && !slices.Contains(r.ignored, name) && name != r.written {
					t.Errorf("no body has the field %s", name)
				}
			}
			parameters(t, r.name, described.parameters)
		})
	}
	for name, path := range map[string]string{"tree": "/catalog/trees", "all variants": "/catalog/variants"} {
		t.Run(name, func(t *testing.T) {
			parameters(t, name, parametersOf(doc.Paths.Value("/stores/{store_hash}/v3"+path)))
		})
	}
	for heading := range reference {
		if name, _, _ := strings.Cut(heading, ":"); !checked[name] {
			t.Errorf("nothing is compared with the list %q", heading)
		}
	}
}

// readReference returns the words below each heading of testdata/reference_fields.txt.
func readReference(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/reference_fields.txt")
	if err != nil {
		t.Fatal(err)
	}
	lists, heading := map[string][]string{}, ""
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, " "):
			lists[heading] = append(lists[heading], strings.Fields(line)...)
		default:
			heading = strings.TrimSpace(line)
		}
	}
	return lists
}
