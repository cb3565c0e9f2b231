package seed

import (
	"slices"
	"strconv"

	"cohort.example/cohort/internal/api"
)

// Kind is the type of a Node.
type Kind int

// The types of JSON.
const (
	Null Kind = iota
	Bool
	Number
	Text
	List
	Object
)

// Node is a value of a seed with its place in the text. Its types are those of JSON.
type Node struct {
	Kind   Kind
	Line   int    // of its beginning, from 1; 0: it is not from a text
	Column int    // of its beginning in that line, from 1
	Text   string // of a text; the literal of a number; "true" or "false"

	Items  []*Node // of a list
	Fields []Field // of an object, in order
}

// Field is a field of an object.
type Field struct {
	Name  string
	Value *Node
}

func newText(s string) *Node { return &Node{Kind: Text, Text: s} }

func newInt(n int64) *Node { return &Node{Kind: Number, Text: strconv.FormatInt(n, 10)} }

func newList(items ...*Node) *Node { return &Node{Kind: List, Items: items} }

func newObject(fields ...Field) *Node { return &Node{Kind: Object, Fields: fields} }

// field returns a field of an object, or nil.
func (n *Node) field(name string) *Node {
	for _, f := range n.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// set replaces or adds a field.
func (n *Node) set(name string, v *Node) {
	for i, f := range n.Fields {
		if f.Name == name {
			n.Fields[i].Value = v
			return
		}
	}
	n.Fields = append(n.Fields, Field{name, v})
}

// take removes fields, and returns the value of the last one that was there, or nil.
func (n *Node) take(names ...string) (v *Node) {
	n.Fields = slices.DeleteFunc(slices.Clone(n.Fields), func(f Field) bool {
		if slices.Contains(names, f.Name) {
			v = f.Value
			return true
		}
		return false
	})
	return v
}

// items returns the items of a list, and none of anything else.
func (n *Node) items() []*Node {
	if n == nil {
		return nil
	}
	return n.Items
}

// int returns the value of a whole number that fits into an int64.
func (n *Node) int() (int64, bool) {
	if n == nil || n.Kind != Number {
		return 0, false
	}
	v, err := strconv.ParseInt(n.Text, 10, 64)
	return v, err == nil
}

// copy returns a copy whose objects can be changed without changing those of n.
func (n *Node) copy() *Node {
	if n == nil {
		return nil
	}
	c := *n
	c.Items = make([]*Node, len(n.Items))
	for i, item := range n.Items {
		c.Items[i] = item.copy()
	}
	c.Fields = make([]Field, len(n.Fields))
	for i, f := range n.Fields {
		c.Fields[i] = Field{f.Name, f.Value.copy()}
	}
	return &c
}

// equal reports whether two values are the same JSON. Numbers have to be spelt alike.
func (n *Node) equal(other *Node) bool {
	return n.Kind == other.Kind && n.Text == other.Text &&
		slices.EqualFunc(n.Items, other.Items, (*Node).equal) &&
		slices.EqualFunc(n.Fields, other.Fields, func(a, b Field) bool { return a.Name == b.Name && a.Value.equal(b.Value) })
}

// appendJSON appends the value as JSON.
func (n *Node) appendJSON(dst []byte) []byte {
	switch n.Kind {
	case Null:
		return append(dst, "null"...)
	case Bool, Number:
		return append(dst, n.Text...)
	case Text:
		return appendText(dst, n.Text)
	case List:
		dst = append(dst, '[')
		for i, item := range n.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.appendJSON(dst)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i, f := range n.Fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendText(dst, f.Name), ':')
			dst = f.Value.appendJSON(dst)
		}
		return append(dst, '}')
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	dst, _ = api.AppendJSON(dst, s) // a text can always be encoded
	return dst
}
