package mcp_test

import (
	"strings"
	"testing"

	"cohort.example/cohort/internal/mcp"
	"cohort.example/cohort/internal/openapi"

	"go.yaml.in/yaml/v4"
)

// The inputs that describe a group have the fields of the group in the OpenAPI document, and so
// have their parts.
func TestGroupInputsAreThoseOfTheAPI(t *testing.T) {
	var document struct {
		Components struct {
			Schemas map[string]map[string]any
		}
	}
	if err := yaml.Unmarshal(openapi.Document, &document); err != nil {
		t.Fatal(err)
	}
	known := map[string]map[string]bool{}
	for component, schema := range document.Components.Schemas {
		known[component] = map[string]bool{}
		fieldsOf(document.Components.Schemas, schema, known[component])
	}
	eachOwner(t, mcp.Options{AllowWrites: true}, func(t *testing.T, f *fixture, c client) {
		tools := c.names(t)
		group := properties(tools["create_group"].InputSchema)
		changes := properties(properties(tools["update_group"].InputSchema)["changes"])
		rule := properties(group["discount_rules"].(map[string]any)["items"])
		for _, check := range []struct {
			component string
			inputs    map[string]any
		}{
			{"GroupCreate", group}, {"GroupUpdate", changes}, {"CategoryAccessInput", properties(group["category_access"])}, {"DiscountRuleInput", rule},
		} {
			if len(check.inputs) == 0 || len(known[check.component]) == 0 {
				t.Errorf("nothing to compare with %s: %v", check.component, check.inputs)
			}
			for field := range check.inputs {
				if !known[check.component][field] {
					t.Errorf("%s has no field %s", check.component, field)
				}
			}
		}
	})
}

// fieldsOf collects the names of the properties of a schema and of its alternatives.
func fieldsOf(schemas map[string]map[string]any, schema map[string]any, into map[string]bool) {
	for field := range properties(schema) {
		into[field] = true
	}
	alternatives, _ := schema["oneOf"].([]any)
	for _, alternative := range alternatives {
		reference, _ := alternative.(map[string]any)["$ref"].(string)
		fieldsOf(schemas, schemas[strings.TrimPrefix(reference, "#/components/schemas/")], into)
	}
}

func properties(schema any) map[string]any {
	fields, _ := schema.(map[string]any)
	inner, _ := fields["properties"].(map[string]any)
	return inner
}
