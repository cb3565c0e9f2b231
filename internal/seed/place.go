package seed

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// place is where in a seed a call takes its body from.
type place struct {
	path string
	node *Node
	// inBatch is whether the operation has a batch of one, so that paths of its errors begin
	// with an index.
	inBatch bool
}

// create calls an operation with a body from the seed, and returns its response.
func (l *loader) create(name string, ids []int64, p place, body *Node) (*Node, error) {
	if p.inBatch {
		body = newList(body)
	}
	n, err := l.do(name, ids, "", body.appendJSON(nil))
	if f, ok := errors.AsType[*failure](err); ok {
		return nil, p.error(f)
	}
	return n, err
}

// error returns the mistake of the seed that an operation has refused.
func (p place) error(f *failure) *Error {
	e := &Error{Line: p.node.Line, Path: p.path, Detail: f.detail}
	path := f.path
	if len(f.ignored) > 0 {
		path = strings.TrimPrefix(strings.TrimPrefix(f.ignored[0], "body"), ".")
	} else if p.inBatch {
		path = withoutIndex(path)
	}
	n := p.node
	for name := range strings.SplitSeq(path, ".") {
		if n = n.member(name); n == nil {
			break
		}
		e.Line = cmp.Or(n.Line, e.Line)
	}
	if n == nil { // V2 names a field of a part without the part
		if n = p.node.find(path); n != nil {
			e.Line = cmp.Or(n.Line, e.Line)
		}
	}
	if path != "" && path != "customer_create" { // the name of the operation
		e.Path += "." + path
	}
	return e
}

// find returns the first field with a name, however deep, or nil.
func (n *Node) find(name string) *Node {
	if v := n.field(name); v != nil {
		return v
	}
	for _, f := range n.Fields {
		if v := f.Value.find(name); v != nil {
			return v
		}
	}
	for _, item := range n.Items {
		if v := item.find(name); v != nil {
			return v
		}
	}
	return nil
}

// withoutIndex removes the index at the beginning of a path, if there is one.
func withoutIndex(path string) string {
	if before, after, _ := strings.Cut(path, "."); strings.Trim(before, "0123456789") == "" {
		return after
	}
	return path
}

// member returns a field of an object, or an item of a list by its index. Of a list it
// returns the first item that has the field: paths of ignored fields have no index.
func (n *Node) member(name string) *Node {
	if n.Kind != List {
		return n.field(name)
	}
	var i int
	if _, err := fmt.Sscanf(name, "%d", &i); err == nil && i >= 0 && i < len(n.Items) {
		return n.Items[i]
	}
	for _, item := range n.Items {
		if v := item.field(name); v != nil {
			return v
		}
	}
	return nil
}
