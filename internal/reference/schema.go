package reference

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort/internal/numeral"

	"go.yaml.in/yaml/v4"
)

const (
	// maxDepth bounds how deep fields are nested in what a page shows of a schema.
	maxDepth = 6
	// maxRows bounds the fields of one schema on a page.
	maxRows = 120
)

// Schema is a schema of the document, as far as the pages show it.
type Schema struct {
	Ref         string `yaml:"$ref"`
	Type        *Value
	Description string
	Format      string
	Pattern     string
	Enum        []*Value
	Const       *Value
	Default     *Value
	Minimum     *Value
	Maximum     *Value
	Above       *Value `yaml:"exclusiveMinimum"`
	Below       *Value `yaml:"exclusiveMaximum"`
	MinLength   *int   `yaml:"minLength"`
	MaxLength   *int   `yaml:"maxLength"`
	MinItems    *int   `yaml:"minItems"`
	MaxItems    *int   `yaml:"maxItems"`
	Unique      bool   `yaml:"uniqueItems"`
	Required    []string
	Properties  Ordered[*Schema]
	Additional  *Value `yaml:"additionalProperties"`
	Items       *Schema
	OneOf       []*Schema `yaml:"oneOf"`
	AnyOf       []*Schema `yaml:"anyOf"`
	AllOf       []*Schema `yaml:"allOf"`
	Example     *Value
	Examples    []*Value
}

// UnmarshalYAML implements yaml.Unmarshaler. The schema true takes every value.
func (s *Schema) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Value == "true" {
		return nil
	}
	type fields Schema // without this method
	return n.Decode((*fields)(s))
}

// Row is a field in the table of a schema.
type Row struct {
	Depth             int
	Name, Type, Rules string
	Required          bool
	Meaning           []Piece
}

// Piece is a part of a text; some are code.
type Piece struct {
	Text string
	Code bool
}

// Pieces parts a short Markdown text at its backticks. A browser shows line breaks as spaces.
func Pieces(text string) (list []Piece) {
	code := false
	for part := range strings.SplitSeq(strings.TrimSpace(text), "`") {
		if part != "" {
			list = append(list, Piece{part, code})
		}
		code = !code
	}
	return list
}

// tree lays a schema out as rows.
type tree struct {
	parts *Parts
	rows  []Row
	cut   bool // there were more rows
}

// RowsOf returns the rows of a schema, and whether it has further ones.
func (d *Document) RowsOf(s *Schema) (rows []Row, cut bool) {
	t := tree{parts: &d.Parts}
	t.inside(s, 0, nil)
	return t.rows, t.cut
}

// Follow returns the schema that a reference names, and the names of the references so far.
// It returns nil for a reference to a schema that contains it, and for an unknown one.
func (p *Parts) Follow(s *Schema, seen []string) (*Schema, []string) {
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
func (t *tree) inside(s *Schema, depth int, seen []string) {
	s, seen = t.parts.Follow(s, seen)
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
		var each Schema
		if s.Additional.Decode(&each) == nil {
			t.add("(any name)", &each, false, depth, seen)
		}
	}
	t.choices(s, depth, seen)
}

// choices adds the rows of the alternatives of a schema. One alternative besides null is the
// schema itself.
func (t *tree) choices(s *Schema, depth int, seen []string) {
	choices := slices.DeleteFunc(slices.Concat(s.OneOf, s.AnyOf), func(c *Schema) bool { return t.parts.TypeOf(c, seen) == "null" })
	if len(choices) == 1 {
		t.inside(choices[0], depth, seen)
		return
	}
	for i, choice := range choices {
		if whole, _ := t.parts.Follow(choice, seen); whole == nil || len(whole.Properties)+len(whole.AllOf) == 0 && whole.Items == nil {
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
func (t *tree) add(name string, s *Schema, required bool, depth int, seen []string) {
	if len(t.rows) >= maxRows {
		t.cut = true
		return
	}
	whole, _ := t.parts.Follow(s, seen)
	row := Row{Depth: depth, Name: name, Required: required, Type: t.parts.TypeOf(s, seen)}
	if whole != nil {
		row.Rules, row.Meaning = t.parts.RulesOf(whole, seen), Pieces(whole.Description)
	}
	t.rows = append(t.rows, row)
	if depth+1 >= maxDepth {
		return
	}
	t.inside(s, depth+1, seen)
}

// TypeOf returns the type of a schema in words.
func (p *Parts) TypeOf(s *Schema, seen []string) string {
	whole, seen := p.Follow(s, seen)
	switch {
	case s == nil:
		return "any"
	case whole == nil:
		return refName(s.Ref)
	case whole.Type != nil && whole.Type.Kind == yaml.ScalarNode && whole.Type.Value == "array" && len(seen) < 20:
		if whole.Items == nil {
			return "array"
		}
		return "array of " + p.TypeOf(whole.Items, seen)
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
		if name := p.TypeOf(choice, seen); !slices.Contains(names, name) {
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
func constType(n *Value) string {
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

// RulesOf returns what values have to be, besides their type.
func (p *Parts) RulesOf(s *Schema, seen []string) string {
	var list []string
	say := func(format string, n *Value) {
		if n != nil {
			list = append(list, fmt.Sprintf(format, n.JSON()))
		}
	}
	between := func(low, high *int, one, many string) {
		switch {
		case low != nil && high != nil:
			list = append(list, fmt.Sprintf("%s to %s", numeral.Number(int64(*low)), numeral.Plural(int64(*high), one, many)))
		case low != nil:
			list = append(list, "at least "+numeral.Plural(int64(*low), one, many))
		case high != nil:
			list = append(list, "at most "+numeral.Plural(int64(*high), one, many))
		}
	}
	say("always %s", s.Const)
	if len(s.Enum) > 0 {
		var values []string
		for _, n := range s.Enum {
			values = append(values, n.JSON())
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
	if each, inner := p.Follow(s.Items, seen); each != nil && len(each.Properties) == 0 {
		if rules := p.RulesOf(each, inner); rules != "" {
			list = append(list, "each "+rules)
		}
	}
	return strings.Join(list, "; ")
}
