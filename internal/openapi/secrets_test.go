package openapi_test

import (
	"strings"
	"testing"

	"cohort.example/cohort/internal/journal"

	"github.com/getkin/kin-openapi/openapi3"
)

// No operation of a store responds with a secret, so the journal keeps the bodies of
// responses as they are, except those of routes with the field Secrets.
func TestResponsesHaveNoSecrets(t *testing.T) {
	symbols := map[string]bool{ // of currencies and numbers
		"token": true, "token_location": true, "decimal_token": true, "thousands_token": true,
		"dimension_decimal_token": true, "dimension_thousands_token": true,
	}
	seen := map[*openapi3.Schema]bool{}
	var check func(at string, ref *openapi3.SchemaRef)
	check = func(at string, ref *openapi3.SchemaRef) {
		if ref == nil || seen[ref.Value] {
			return
		}
		s := ref.Value
		seen[s] = true
		for name, property := range s.Properties {
			if journal.IsSecret(name) && !symbols[name] && !property.Value.Type.Is("boolean") {
				t.Errorf("%s has the field %s", at, name)
			}
			check(at+"."+name, property)
		}
		check(at, s.Items)
		for _, list := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
			for _, part := range list {
				check(at, part)
			}
		}
	}
	for path, item := range load(t).Paths.Map() {
		if !strings.HasPrefix(path, "/stores/") {
			continue
		}
		for _, op := range item.Operations() {
			for _, response := range op.Responses.Map() {
				for _, media := range response.Value.Content {
					check(op.OperationID, media.Schema)
				}
			}
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d schemas were checked", len(seen))
	}
}
