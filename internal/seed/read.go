package seed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The bounds of a text.
const (
	MaxBytes = 16 << 20  // of a seed, and of an export
	maxNodes = 2_000_000 // with aliases replaced by what they stand for
	maxDepth = 32
)

// Bounds bound a text and what is read from it.
type Bounds struct {
	Bytes int // of the text
	Nodes int // with aliases replaced by what they stand for
}

// Error is a mistake in a seed.
type Error struct {
	Line   int    // 0: none
	Column int    // in the line, from 1; 0: none
	Path   string // of the value, such as customers[2].email; "": none
	Detail string // a sentence
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "Line %d: ", e.Line)
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	return b.String() + e.Detail
}

// Parse reads a seed in YAML or JSON. It returns an *Error for a text that is neither or
// too large.
func Parse(text []byte) (*Node, error) { return ParseWithin(text, Bounds{MaxBytes, maxNodes}) }

// ParseWithin is Parse with other bounds.
func ParseWithin(text []byte, most Bounds) (*Node, error) {
	if len(text) > most.Bytes {
		return nil, &Error{Detail: fmt.Sprintf("A seed has at most %d MiB.", most.Bytes>>20)}
	}
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return newObject(), nil
	}
	if trimmed[0] == '{' && json.Valid(trimmed) { // YAML has objects in braces too
		return parseJSONWithin(text, most.Nodes)
	}
	return parseYAML(text, most.Nodes)
}

// reader bounds a value while it is read.
type reader struct {
	most         int // nodes
	nodes, depth int
}

func (r *reader) enter(line int) error {
	r.nodes++
	r.depth++
	switch {
	case r.nodes > r.most:
		return &Error{Line: line, Detail: fmt.Sprintf("A seed has at most %d values.", r.most)}
	case r.depth > maxDepth:
		return &Error{Line: line, Detail: fmt.Sprintf("Values are nested at most %d deep.", maxDepth)}
	}
	return nil
}

func (r *reader) leave() { r.depth-- }

// jsonReader reads JSON that is valid.
type jsonReader struct {
	reader
	*json.Decoder
	text []byte
	line int // of the offset at
	at   int64
	// begin is the offset at which the line begins.
	begin int64
}

// parseJSON reads valid JSON.
func parseJSON(text []byte) (*Node, error) { return parseJSONWithin(text, maxNodes) }

func parseJSONWithin(text []byte, most int) (*Node, error) {
	r := &jsonReader{reader: reader{most: most}, Decoder: json.NewDecoder(bytes.NewReader(text)), text: text, line: 1}
	r.UseNumber()
	return r.value()
}

func (r *jsonReader) value() (*Node, error) {
	column := r.nextColumn()
	token, err := r.Token()
	if err != nil {
		return nil, &Error{Line: r.lineNow(), Detail: "The text is not valid JSON."}
	}
	n := &Node{Line: r.lineNow(), Column: column}
	if err := r.enter(n.Line); err != nil {
		return nil, err
	}
	defer r.leave()
	switch t := token.(type) {
	case nil:
	case bool:
		n.Kind, n.Text = Bool, fmt.Sprint(t)
	case json.Number:
		n.Kind, n.Text = Number, string(t)
	case string:
		n.Kind, n.Text = Text, t
	case json.Delim:
		return n, r.members(n, t)
	}
	return n, nil
}

// members reads the members of a list or an object, and its end.
func (r *jsonReader) members(n *Node, begin json.Delim) error {
	n.Kind = List
	if begin == '{' {
		n.Kind = Object
	}
	for r.More() {
		var name string
		if n.Kind == Object {
			key, err := r.Token()
			if err != nil {
				return &Error{Line: r.lineNow(), Detail: "The text is not valid JSON."}
			}
			name, _ = key.(string) // the decoder checks it
		}
		v, err := r.value()
		if err != nil {
			return err
		}
		if n.Kind == List {
			n.Items = append(n.Items, v)
			continue
		}
		n.Fields = append(n.Fields, Field{name, v})
	}
	if _, err := r.Token(); err != nil {
		return &Error{Line: r.lineNow(), Detail: "The text is not valid JSON."}
	}
	return unique(n)
}

// lineNow returns the line of the last token.
func (r *jsonReader) lineNow() int {
	r.moveTo(r.InputOffset())
	return r.line
}

// moveTo counts the lines up to an offset.
func (r *jsonReader) moveTo(offset int64) {
	offset = max(r.at, min(offset, int64(len(r.text))))
	passed := r.text[r.at:offset]
	r.line += bytes.Count(passed, []byte{'\n'})
	if i := bytes.LastIndexByte(passed, '\n'); i >= 0 {
		r.begin = r.at + int64(i) + 1
	}
	r.at = offset
}

// nextColumn returns the column at which the next value begins.
func (r *jsonReader) nextColumn() int {
	at := min(r.InputOffset(), int64(len(r.text)))
	for at < int64(len(r.text)) && strings.IndexByte(" \t\r\n,:", r.text[at]) >= 0 {
		at++
	}
	r.moveTo(at)
	return int(at-r.begin) + 1
}

// unique returns an error if an object has a field twice.
func unique(n *Node) error {
	seen := make(map[string]bool, len(n.Fields))
	for _, f := range n.Fields {
		if seen[f.Name] {
			return &Error{Line: f.Value.Line, Column: f.Value.Column, Path: f.Name, Detail: "The field is there twice."}
		}
		seen[f.Name] = true
	}
	return nil
}

// yamlReader converts the nodes of the library.
type yamlReader struct {
	reader
	open map[*yaml.Node]bool // the anchors that are being read
}

func parseYAML(text []byte, most int) (*Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		return nil, yamlError(err)
	}
	var document yaml.Node
	if err := loader.Load(&document); err != nil {
		if errors.Is(err, io.EOF) { // only comments
			return newObject(), nil
		}
		return nil, yamlError(err)
	}
	if err := loader.Load(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &Error{Detail: "A seed is one YAML document."}
	}
	r := &yamlReader{reader: reader{most: most}, open: map[*yaml.Node]bool{}}
	return r.value(&document)
}

// yamlError returns the Error for an error of the library.
func yamlError(err error) *Error {
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		return &Error{Line: e.Mark.Line, Column: e.Mark.Column, Detail: "The text is not valid YAML: " + e.Message + "."}
	}
	return &Error{Detail: "The text is not valid YAML: " + strings.TrimPrefix(err.Error(), "yaml: ") + "."}
}

func (r *yamlReader) value(y *yaml.Node) (*Node, error) {
	if err := r.enter(y.Line); err != nil {
		return nil, err
	}
	defer r.leave()
	switch y.Kind {
	case yaml.DocumentNode:
		if len(y.Content) == 0 {
			return newObject(), nil
		}
		return r.value(y.Content[0])
	case yaml.AliasNode:
		if r.open[y.Alias] {
			return nil, &Error{Line: y.Line, Detail: fmt.Sprintf("The value of the anchor %q contains itself.", y.Value)}
		}
		return r.value(y.Alias)
	case yaml.ScalarNode:
		return r.scalar(y)
	}
	if y.Anchor != "" {
		r.open[y] = true
		defer delete(r.open, y)
	}
	n := &Node{Kind: List, Line: y.Line, Column: y.Column}
	if y.Kind == yaml.MappingNode {
		n.Kind = Object
		return n, r.fields(n, y)
	}
	for _, item := range y.Content {
		v, err := r.value(item)
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, v)
	}
	return n, nil
}

func (r *yamlReader) fields(n *Node, y *yaml.Node) error {
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		if key.Kind != yaml.ScalarNode {
			return &Error{Line: key.Line, Detail: "The name of a field must be a text."}
		}
		if key.ShortTag() == "!!merge" {
			return &Error{Line: key.Line, Detail: "Merge keys (<<) are not supported."}
		}
		v, err := r.value(y.Content[i+1])
		if err != nil {
			return err
		}
		n.Fields = append(n.Fields, Field{key.Value, v})
	}
	return unique(n)
}

// scalar converts a value by its type in JSON. YAML has further types, such as dates, and
// other spellings of numbers: they are texts.
func (r *yamlReader) scalar(y *yaml.Node) (*Node, error) {
	n := &Node{Kind: Text, Line: y.Line, Column: y.Column, Text: y.Value}
	switch y.ShortTag() {
	case "!!null":
		n.Kind, n.Text = Null, ""
	case "!!bool":
		if v := strings.ToLower(y.Value); v == "true" || v == "false" {
			n.Kind, n.Text = Bool, v
		}
	case "!!int", "!!float":
		if !json.Valid([]byte(y.Value)) {
			return nil, &Error{Line: y.Line, Column: y.Column, Detail: fmt.Sprintf("%q is not a number as JSON has it; put a text into quotes.", y.Value)}
		}
		n.Kind = Number
	case "!!binary":
		return nil, &Error{Line: y.Line, Detail: "Binary values are not supported."}
	}
	return n, nil
}
