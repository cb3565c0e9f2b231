package reference

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Example is an example of a body.
type Example struct{ Name, Text string }

// ExamplesOf returns the examples of a body: those of the document, and otherwise one that is
// made from the schema.
func (d *Document) ExamplesOf(m Media) (list []Example) {
	for _, e := range m.Examples {
		if e.Value.Value != nil {
			list = append(list, Example{e.Key, Pretty(jsonOf(&e.Value.Value.Node))})
		}
	}
	if m.Example != nil {
		list = append(list, Example{"example", Pretty(jsonOf(&m.Example.Node))})
	}
	if len(list) == 0 && m.Schema != nil {
		list = append(list, Example{"made from the schema", Pretty(d.Parts.ExampleOf(m.Schema, 0, nil))})
	}
	return list
}

// ExampleOf returns a value of a schema as JSON. It is the same each time: the required
// fields, or all of them if none is required, each with its example, its default or the
// smallest value.
func (p *Parts) ExampleOf(s *Schema, depth int, seen []string) string {
	s, seen = p.Follow(s, seen)
	if s == nil || depth > maxDepth {
		return "null"
	}
	for _, n := range slices.Concat([]*Value{s.Const, s.Example}, s.Examples[:min(1, len(s.Examples))], []*Value{s.Default}, s.Enum[:min(1, len(s.Enum))]) {
		if n != nil {
			return jsonOf(&n.Node)
		}
	}
	if choices := slices.Concat(s.OneOf, s.AnyOf); len(choices) > 0 && len(s.Properties) == 0 {
		return p.ExampleOf(choices[0], depth, seen)
	}
	kind := p.TypeOf(s, seen)
	kind, _, _ = strings.Cut(kind, " ")
	switch kind {
	case "array":
		if s.Items == nil {
			return "[]"
		}
		return "[" + p.ExampleOf(s.Items, depth+1, seen) + "]"
	case "integer", "number":
		if s.Minimum != nil {
			return jsonOf(&s.Minimum.Node)
		}
		return "1"
	case "boolean":
		return "true"
	case "null":
		return "null"
	case "string":
		return quoted(stringExample(s))
	}
	return "{" + strings.Join(p.members(s, depth, seen), ",") + "}"
}

// members returns the members of an example of an object.
func (p *Parts) members(s *Schema, depth int, seen []string) (list []string) {
	for _, part := range s.AllOf {
		if whole, inner := p.Follow(part, seen); whole != nil {
			list = append(list, p.members(whole, depth, inner)...)
		}
	}
	for _, f := range s.Properties {
		if len(s.Required) == 0 || slices.Contains(s.Required, f.Key) {
			list = append(list, quoted(f.Key)+":"+p.ExampleOf(f.Value, depth+1, seen))
		}
	}
	return list
}

func stringExample(s *Schema) string {
	switch s.Format {
	case "date-time":
		return "2026-01-01T00:00:00Z"
	case "date":
		return "2026-01-01"
	case "email":
		return "ann@example.com"
	case "uri":
		return "https://example.com/"
	case "uuid":
		return "7d0c9a52-1f7e-4bb2-9d53-0e4f5c7c1a11"
	}
	return "text"
}

// jsonOf returns a value of the document as JSON, in the order of the document.
func jsonOf(n *yaml.Node) string {
	var list []string
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			list = append(list, quoted(n.Content[i].Value)+":"+jsonOf(n.Content[i+1]))
		}
		return "{" + strings.Join(list, ",") + "}"
	case yaml.SequenceNode:
		for _, each := range n.Content {
			list = append(list, jsonOf(each))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!null":
		if json.Valid([]byte(n.Value)) {
			return n.Value
		}
	}
	return quoted(n.Value)
}

// quoted returns a text as JSON, with < and > as they are.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(text) != nil {
		return `""` // a text is always JSON
	}
	return strings.TrimSpace(b.String())
}

// Pretty returns a JSON text with line breaks, or the text itself if it is none.
func Pretty(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}
