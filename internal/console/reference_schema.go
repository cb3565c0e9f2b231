package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	// maxSchemaDepth bounds how deep fields are nested in what a page shows of a schema.
	maxSchemaDepth = 6
	// maxSchemaRows bounds the fields of one schema on a page.
	maxSchemaRows = 120
)

// apiSchema is a schema of the document, as far as the pages show it.
type apiSchema struct {
	Ref         string `yaml:"$ref"`
	Type        *value
	Description string
	Format      string
	Pattern     string
	Enum        []*value
	Const       *value
	Default     *value
	Minimum     *value
	Maximum     *value
	Above       *value `yaml:"exclusiveMinimum"`
	Below       *value `yaml:"exclusiveMaximum"`
	MinLength   *int   `yaml:"minLength"`
	MaxLength   *int   `yaml:"maxLength"`
	MinItems    *int   `yaml:"minItems"`
	MaxItems    *int   `yaml:"maxItems"`
	Unique      bool   `yaml:"uniqueItems"`
	Required    []string
	Properties  ordered[*apiSchema]
	Additional  *value `yaml:"additionalProperties"`
	Items       *apiSchema
	OneOf       []*apiSchema `yaml:"oneOf"`
	AnyOf       []*apiSchema `yaml:"anyOf"`
	AllOf       []*apiSchema `yaml:"allOf"`
	Example     *value
	Examples    []*value
}

// UnmarshalYAML implements yaml.Unmarshaler. The schema true takes every value.
func (s *apiSchema) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Value == "true" {
		return nil
	}
	type fields apiSchema // without this method
	return n.Decode((*fields)(s))
}

// schemaRow is a field in the table of a schema.
type schemaRow struct {
	Depth             int
	Name, Type, Rules string
	Required          bool
	Meaning           []piece
}

// piece is a part of a text; some are code.
type piece struct {
	Text string
	Code bool
}

// pieces parts a short Markdown text at its backticks. A browser shows line breaks as spaces.
func pieces(text string) (list []piece) {
	code := false
	for part := range strings.SplitSeq(strings.TrimSpace(text), "`") {
		if part != "" {
			list = append(list, piece{part, code})
		}
		code = !code
	}
	return list
}

// tree lays a schema out as rows.
type tree struct {
	parts *apiParts
	rows  []schemaRow
	cut   bool // there were more rows
}

// rowsOf returns the rows of a schema, and whether it has further ones.
func (d *apiDocument) rowsOf(s *apiSchema) (rows []schemaRow, cut bool) {
	t := tree{parts: &d.Parts}
	t.inside(s, 0, nil)
	return t.rows, t.cut
}

// follow returns the schema that a reference names, and the names of the references so far.
// It returns nil for a reference to a schema that contains it, and for an unknown one.
func (p *apiParts) follow(s *apiSchema, seen []string) (*apiSchema, []string) {
	for s != nil && s.Ref != "" {
		if slices.Contains(seen, s.Ref) {
			return nil, seen
		}
		seen = append(slices.Clip(seen), s.Ref)
		next := p.Schemas[refName(s.Ref)]
		if next != nil && next.Description == "" && s.Description != "" {
			described := *next
			described.Description = s.Description
			next = &described
		}
		s = next
	}
	return s, seen
}

func refName(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// inside adds the rows for what a schema contains.
func (t *tree) inside(s *apiSchema, depth int, seen []string) {
	s, seen = t.parts.follow(s, seen)
	if s == nil {
		return
	}
	for _, part := range s.AllOf {
		t.inside(part, depth, seen)
	}
	for _, p := range s.Properties {
		t.add(p.Key, p.Value, slices.Contains(s.Required, p.Key), depth, seen)
	}
	if s.Items != nil {
		t.inside(s.Items, depth, seen)
	}
	if s.Additional != nil && s.Additional.Kind == yaml.MappingNode {
		var each apiSchema
		if s.Additional.Decode(&each) == nil {
			t.add("(any name)", &each, false, depth, seen)
		}
	}
	t.choices(s, depth, seen)
}

// choices adds the rows of the alternatives of a schema. One alternative besides null is the
// schema itself.
func (t *tree) choices(s *apiSchema, depth int, seen []string) {
	choices := slices.DeleteFunc(slices.Concat(s.OneOf, s.AnyOf), func(c *apiSchema) bool { return t.parts.typeOf(c, seen) == "null" })
	if len(choices) == 1 {
		t.inside(choices[0], depth, seen)
		return
	}
	for i, choice := range choices {
		if whole, _ := t.parts.follow(choice, seen); whole == nil || len(whole.Properties)+len(whole.AllOf) == 0 && whole.Items == nil {
			continue // its type says all
		}
		name := refName(choice.Ref)
		if name == "" {
			name = strconv.Itoa(i + 1)
		}
		t.add("either "+name, choice, false, depth, seen)
	}
}

// add adds the row of a field and those inside it.
func (t *tree) add(name string, s *apiSchema, required bool, depth int, seen []string) {
	if len(t.rows) >= maxSchemaRows {
		t.cut = true
		return
	}
	whole, _ := t.parts.follow(s, seen)
	row := schemaRow{Depth: depth, Name: name, Required: required, Type: t.parts.typeOf(s, seen)}
	if whole != nil {
		row.Rules, row.Meaning = t.parts.rulesOf(whole, seen), pieces(whole.Description)
	}
	t.rows = append(t.rows, row)
	if depth+1 >= maxSchemaDepth {
		return
	}
	t.inside(s, depth+1, seen)
}

// typeOf returns the type of a schema in words.
func (p *apiParts) typeOf(s *apiSchema, seen []string) string {
	whole, seen := p.follow(s, seen)
	switch {
	case s == nil:
		return "any"
	case whole == nil:
		return refName(s.Ref)
	case whole.Type != nil && whole.Type.Kind == yaml.ScalarNode && whole.Type.Value == "array" && len(seen) < 20:
		if whole.Items == nil {
			return "array"
		}
		return "array of " + p.typeOf(whole.Items, seen)
	case whole.Type != nil && whole.Type.Kind == yaml.ScalarNode:
		return whole.Type.Value
	case whole.Type != nil:
		var names []string
		for _, n := range whole.Type.Content {
			names = append(names, n.Value)
		}
		return strings.Join(names, " or ")
	}
	var names []string
	for _, choice := range slices.Concat(whole.OneOf, whole.AnyOf, whole.AllOf) {
		if name := p.typeOf(choice, seen); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	switch {
	case len(names) > 0:
		return strings.Join(names, " or ")
	case len(whole.Properties) > 0:
		return "object"
	case whole.Const != nil:
		return constType(whole.Const)
	case len(whole.Enum) > 0:
		return constType(whole.Enum[0])
	}
	return "any"
}

// constType returns the type of a value of the document.
func constType(n *value) string {
	if n == nil {
		return "null"
	}
	switch n.ShortTag() {
	case "!!int":
		return "integer"
	case "!!float":
		return "number"
	case "!!bool":
		return "boolean"
	case "!!null":
		return "null"
	}
	return "string"
}

// rulesOf returns what values have to be, besides their type.
func (p *apiParts) rulesOf(s *apiSchema, seen []string) string {
	var list []string
	say := func(format string, n *value) {
		if n != nil {
			list = append(list, fmt.Sprintf(format, n.json()))
		}
	}
	between := func(low, high *int, one, many string) {
		switch {
		case low != nil && high != nil:
			list = append(list, fmt.Sprintf("%s to %s", number(int64(*low)), plural(int64(*high), one, many)))
		case low != nil:
			list = append(list, "at least "+plural(int64(*low), one, many))
		case high != nil:
			list = append(list, "at most "+plural(int64(*high), one, many))
		}
	}
	say("always %s", s.Const)
	if len(s.Enum) > 0 {
		var values []string
		for _, n := range s.Enum {
			values = append(values, n.json())
		}
		list = append(list, "one of "+strings.Join(values, ", "))
	}
	say("at least %s", s.Minimum)
	say("at most %s", s.Maximum)
	say("more than %s", s.Above)
	say("less than %s", s.Below)
	between(s.MinLength, s.MaxLength, "character", "characters")
	between(s.MinItems, s.MaxItems, "element", "elements")
	if s.Unique {
		list = append(list, "no element twice")
	}
	if s.Format != "" {
		list = append(list, "format "+s.Format)
	}
	if s.Pattern != "" {
		list = append(list, "pattern "+s.Pattern)
	}
	say("without it %s", s.Default)
	if each, inner := p.follow(s.Items, seen); each != nil && len(each.Properties) == 0 {
		if rules := p.rulesOf(each, inner); rules != "" {
			list = append(list, "each "+rules)
		}
	}
	return strings.Join(list, "; ")
}
