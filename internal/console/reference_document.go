package console

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"cohort.example/cohort/internal/openapi"

	"go.yaml.in/yaml/v4"
)

// apiDocument is the OpenAPI document, as far as the pages show it.
type apiDocument struct {
	Tags  []apiTag `yaml:"tags"`
	Paths ordered[apiPath]
	Parts apiParts `yaml:"components"`
	// operations are those of all paths, in the order of the document.
	operations []*apiOperation
}

// apiTag is a family of operations.
type apiTag struct{ Name, Description string }

// apiPath has the operations of a path.
type apiPath struct {
	Parameters             []*apiParameter
	Get, Post, Put, Delete *apiOperation
}

// apiOperation is an operation. Parameters has those of its path too.
type apiOperation struct {
	ID                   string `yaml:"operationId"`
	Summary, Description string
	Tags                 []string
	Scope                string                    `yaml:"x-cohort-scope"`
	Concurrency          int                       `yaml:"x-cohort-max-concurrent"`
	PerMinute            struct{ Path, Store int } `yaml:"x-cohort-per-minute"`
	Parameters           []*apiParameter
	Security             []map[string][]string
	RequestBody          *struct {
		Required bool
		Content  ordered[apiMedia]
	} `yaml:"requestBody"`
	Responses    ordered[*apiResponse]
	Method, Path string `yaml:"-"`
}

// apiParameter is a parameter of a path, a query or a header.
type apiParameter struct {
	Ref         string `yaml:"$ref"`
	Name, In    string
	Required    bool
	Description string
	Schema      *apiSchema
	Example     *value
}

// apiMedia is a body in one format.
type apiMedia struct {
	Schema   *apiSchema
	Example  *value
	Examples ordered[struct{ Value *value }]
}

// apiResponse is a response with one status.
type apiResponse struct {
	Ref         string `yaml:"$ref"`
	Description string
	Headers     ordered[*apiHeader]
	Content     ordered[apiMedia]
}

// apiHeader is a header of a response.
type apiHeader struct {
	Ref         string `yaml:"$ref"`
	Description string
}

// apiParts are the parts that others refer to.
type apiParts struct {
	Parameters map[string]*apiParameter
	Headers    map[string]*apiHeader
	Responses  map[string]*apiResponse
	Schemas    map[string]*apiSchema
}

// ordered is a mapping in the order of the document.
type ordered[T any] []pair[T]

// pair is a key with its value.
type pair[T any] struct {
	Key   string
	Value T
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (o *ordered[T]) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: no mapping", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		p := pair[T]{Key: n.Content[i].Value}
		if err := n.Content[i+1].Decode(&p.Value); err != nil {
			return err
		}
		*o = append(*o, p)
	}
	return nil
}

// value is a value of the document, of any type.
type value struct{ yaml.Node }

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *value) UnmarshalYAML(n *yaml.Node) error {
	v.Node = *n
	return nil
}

// json returns the value as JSON. The value null has no node.
func (v *value) json() string {
	if v == nil {
		return "null"
	}
	return jsonOf(&v.Node)
}

// reference is the document. The first page of the reference reads it.
var reference = sync.OnceValue(func() *apiDocument {
	d, err := readDocument(openapi.Document)
	if err != nil {
		panic(err) // it is part of the program, and tests read it
	}
	return d
})

// readDocument reads a document and replaces the references to parameters, headers and
// responses. Those to schemas stay, because a schema may contain itself.
func readDocument(text []byte) (*apiDocument, error) {
	d := &apiDocument{}
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
				d.operations = append(d.operations, o)
				d.addTag(o.Tag())
			}
		}
	}
	return d, nil
}

// addTag adds a family that the document does not describe.
func (d *apiDocument) addTag(name string) {
	if !slices.ContainsFunc(d.Tags, func(t apiTag) bool { return t.Name == name }) {
		d.Tags = append(d.Tags, apiTag{Name: name})
	}
}

func (p apiPath) methods() map[string]*apiOperation {
	return map[string]*apiOperation{"GET": p.Get, "POST": p.Post, "PUT": p.Put, "DELETE": p.Delete}
}

// resolve replaces the references of an operation.
func (d *apiDocument) resolve(o *apiOperation) error {
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

// operation returns an operation by its id; nil: there is none.
func (d *apiDocument) operation(id string) *apiOperation {
	for _, o := range d.operations {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// Tag returns the family of the operation.
func (o *apiOperation) Tag() string { return cmp.Or(slices.Concat(o.Tags, []string{""})[0], "other") }

// Link returns the address of the operation's page.
func (o *apiOperation) Link() string { return Prefix + "reference/" + o.ID }

// ofStore reports whether the operation is one of a store's API.
func (o *apiOperation) ofStore() bool { return strings.HasPrefix(o.Path, storeStart) }

// storeStart begins the paths of the operations of a store.
const storeStart = "/stores/{store_hash}/"

// streams reports whether the response goes on until the client leaves.
func (o *apiOperation) streams() bool {
	for _, r := range o.Responses {
		for _, m := range r.Value.Content {
			if m.Key == "text/event-stream" {
				return true
			}
		}
	}
	return false
}

// body returns the body of a request in JSON, or in the first other format; nil: it has none.
func (o *apiOperation) body() *pair[apiMedia] {
	if o.RequestBody == nil || len(o.RequestBody.Content) == 0 {
		return nil
	}
	list := o.RequestBody.Content
	return &list[max(0, slices.IndexFunc(list, func(m pair[apiMedia]) bool { return m.Key == "application/json" }))]
}
