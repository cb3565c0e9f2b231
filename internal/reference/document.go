// Package reference reads the OpenAPI document for pages that show it: operations with their
// parameters, the fields of bodies as rows, and examples.
package reference

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"cohort.example/cohort/internal/openapi"

	"go.yaml.in/yaml/v4"
)

// Document is the OpenAPI document, as far as the pages show it.
type Document struct {
	Tags  []Tag `yaml:"tags"`
	Paths Ordered[Path]
	Parts Parts `yaml:"components"`
	// operations are those of all paths, in the order of the document.
	Operations []*Operation
}

// Tag is a family of operations.
type Tag struct{ Name, Description string }

// Path has the operations of a path.
type Path struct {
	Parameters             []*Parameter
	Get, Post, Put, Delete *Operation
}

// Operation is an operation. Parameters has those of its path too.
type Operation struct {
	ID                   string `yaml:"operationId"`
	Summary, Description string
	Tags                 []string
	Scope                string                    `yaml:"x-cohort-scope"`
	Concurrency          int                       `yaml:"x-cohort-max-concurrent"`
	PerMinute            struct{ Path, Store int } `yaml:"x-cohort-per-minute"`
	Parameters           []*Parameter
	Security             []map[string][]string
	RequestBody          *struct {
		Required bool
		Content  Ordered[Media]
	} `yaml:"requestBody"`
	Responses    Ordered[*Response]
	Method, Path string `yaml:"-"`
}

// Parameter is a parameter of a path, a query or a header.
type Parameter struct {
	Ref         string `yaml:"$ref"`
	Name, In    string
	Required    bool
	Description string
	Schema      *Schema
	Example     *Value
}

// Media is a body in one format.
type Media struct {
	Schema   *Schema
	Example  *Value
	Examples Ordered[struct{ Value *Value }]
}

// Response is a response with one status.
type Response struct {
	Ref         string `yaml:"$ref"`
	Description string
	Headers     Ordered[*Header]
	Content     Ordered[Media]
}

// Header is a header of a response.
type Header struct {
	Ref         string `yaml:"$ref"`
	Description string
}

// Parts are the parts that others refer to.
type Parts struct {
	Parameters map[string]*Parameter
	Headers    map[string]*Header
	Responses  map[string]*Response
	Schemas    map[string]*Schema
}

// Ordered is a mapping in the order of the document.
type Ordered[T any] []Pair[T]

// Pair is a key with its value.
type Pair[T any] struct {
	Key   string
	Value T
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (o *Ordered[T]) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: no mapping", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		p := Pair[T]{Key: n.Content[i].Value}
		if err := n.Content[i+1].Decode(&p.Value); err != nil {
			return err
		}
		*o = append(*o, p)
	}
	return nil
}

// Value is a value of the document, of any type.
type Value struct{ yaml.Node }

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *Value) UnmarshalYAML(n *yaml.Node) error {
	v.Node = *n
	return nil
}

// JSON returns the value as JSON. The value null has no node.
func (v *Value) JSON() string {
	if v == nil {
		return "null"
	}
	return jsonOf(&v.Node)
}

// API returns the document of this program. The first call reads it. Callers must not modify
// it.
func API() *Document { return document() }

var document = sync.OnceValue(func() *Document {
	d, err := Read(openapi.Document)
	if err != nil {
		panic(err) // it is part of the program, and tests read it
	}
	return d
})

// Read reads a document and replaces the references to parameters, headers and
// responses. Those to schemas stay, because a schema may contain itself.
func Read(text []byte) (*Document, error) {
	d := &Document{}
	if err := yaml.Unmarshal(text, d); err != nil {
		return nil, err
	}
	for _, p := range d.Paths {
		for method, o := range p.Value.methods() {
			if o == nil {
				continue
			}
			o.Method, o.Path = method, p.Key
			o.Parameters = slices.Concat(p.Value.Parameters, o.Parameters)
			if err := d.resolve(o); err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, p.Key, err)
			}
		}
		for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
			if o := p.Value.methods()[method]; o != nil {
				d.Operations = append(d.Operations, o)
				d.addTag(o.Tag())
			}
		}
	}
	return d, nil
}

// addTag adds a family that the document does not describe.
func (d *Document) addTag(name string) {
	if !slices.ContainsFunc(d.Tags, func(t Tag) bool { return t.Name == name }) {
		d.Tags = append(d.Tags, Tag{Name: name})
	}
}

func (p Path) methods() map[string]*Operation {
	return map[string]*Operation{"GET": p.Get, "POST": p.Post, "PUT": p.Put, "DELETE": p.Delete}
}

// resolve replaces the references of an operation.
func (d *Document) resolve(o *Operation) error {
	for i, p := range o.Parameters {
		part, err := resolved(d.Parts.Parameters, "parameters", p.Ref, p)
		if err != nil {
			return err
		}
		o.Parameters[i] = part
	}
	for i, r := range o.Responses {
		part, err := resolved(d.Parts.Responses, "responses", r.Value.Ref, r.Value)
		if err != nil {
			return err
		}
		o.Responses[i].Value = part
		for j, h := range part.Headers {
			if part.Headers[j].Value, err = resolved(d.Parts.Headers, "headers", h.Value.Ref, h.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// resolved returns the part that a reference names, or the given one if it is none.
func resolved[T any](parts map[string]*T, kind, ref string, given *T) (*T, error) {
	if ref == "" {
		return given, nil
	}
	part := parts[strings.TrimPrefix(ref, "#/components/"+kind+"/")]
	if part == nil {
		return nil, fmt.Errorf("the document has no %s", ref)
	}
	return part, nil
}

// Operation returns an operation by its id; nil: there is none.
func (d *Document) Operation(id string) *Operation {
	for _, o := range d.Operations {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// Tag returns the family of the operation.
func (o *Operation) Tag() string { return cmp.Or(slices.Concat(o.Tags, []string{""})[0], "other") }

// OfStore reports whether the operation is one of a store's API.
func (o *Operation) OfStore() bool { return strings.HasPrefix(o.Path, storeStart) }

// storeStart begins the paths of the operations of a store.
const storeStart = "/stores/{store_hash}/"

// Streams reports whether the response goes on until the client leaves.
func (o *Operation) Streams() bool {
	for _, r := range o.Responses {
		for _, m := range r.Value.Content {
			if m.Key == "text/event-stream" {
				return true
			}
		}
	}
	return false
}

// Body returns the body of a request in JSON, or in the first other format; nil: it has none.
func (o *Operation) Body() *Pair[Media] {
	if o.RequestBody == nil || len(o.RequestBody.Content) == 0 {
		return nil
	}
	list := o.RequestBody.Content
	return &list[max(0, slices.IndexFunc(list, func(m Pair[Media]) bool { return m.Key == "application/json" }))]
}
