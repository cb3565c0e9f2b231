package stub

import (
	"errors"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

const (
	// maxExampleDepth bounds how deep a generated example is nested. Schemas can contain
	// themselves.
	maxExampleDepth = 8
	// maxExampleParts bounds the values of a generated example.
	maxExampleParts = 20_000
)

// exampleOf returns the example of a response: the one of the document, or one that its
// schema allows.
func exampleOf(media *openapi3.MediaType) (any, error) {
	if media.Example != nil {
		return media.Example, nil
	}
	for _, name := range slices.Sorted(maps.Keys(media.Examples)) {
		if example := media.Examples[name]; example != nil && example.Value != nil && example.Value.Value != nil {
			return example.Value.Value, nil
		}
	}
	g := generator{left: maxExampleParts}
	value := g.value(media.Schema, 0)
	if g.left <= 0 {
		return nil, errors.New("the example of its schema is too large")
	}
	return value, nil
}

// generator makes an example of a schema.
type generator struct{ left int }

func (g *generator) value(ref *openapi3.SchemaRef, depth int) any {
	if g.left--; ref == nil || ref.Value == nil || depth > maxExampleDepth || g.left <= 0 {
		return nil
	}
	s := ref.Value
	switch {
	case s.Example != nil:
		return s.Example
	case s.Default != nil:
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return g.value(s.OneOf[0], depth+1)
	case len(s.AnyOf) > 0:
		return g.value(s.AnyOf[0], depth+1)
	case s.Type.Includes("array") || s.Items != nil:
		return []any{g.value(s.Items, depth+1)}
	case s.Type.Includes("string"):
		return text(s)
	case s.Type.Includes("integer") || s.Type.Includes("number"):
		if s.Min != nil && *s.Min > 1 {
			return *s.Min
		}
		return 1
	case s.Type.Includes("boolean"):
		return true
	case s.Type.Includes("object") || len(s.Properties) > 0 || len(s.AllOf) > 0:
		return g.object(s, depth)
	}
	return nil
}

// object returns an object with all properties, except those that only requests have.
func (g *generator) object(s *openapi3.Schema, depth int) map[string]any {
	object := map[string]any{}
	for _, part := range s.AllOf {
		if of, ok := g.value(part, depth+1).(map[string]any); ok {
			maps.Copy(object, of)
		}
	}
	for name, property := range s.Properties {
		if property != nil && property.Value != nil && !property.Value.WriteOnly && depth < maxExampleDepth {
			object[name] = g.value(property, depth+1)
		}
	}
	return object
}

// text returns a text in the format of a schema.
func text(s *openapi3.Schema) string {
	switch s.Format {
	case "date-time":
		return "2026-01-01T00:00:00Z"
	case "date":
		return "2026-01-01"
	case "email":
		return "jo@example.com"
	case "uuid":
		return "00000000-0000-4000-8000-000000000001"
	case "uri", "url":
		return "https://example.com/"
	}
	return "text"
}
