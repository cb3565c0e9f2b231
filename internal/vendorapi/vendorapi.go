// Package vendorapi has the list of the operations of the vendor's API, also of those
// that Cohort does not serve.
package vendorapi

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed operations.txt
var text string

// Mark says how much is public about the success response of an operation.
type Mark byte

// The marks.
const (
	Exact     Mark = '=' // all of it
	Decided   Mark = '~' // a part; Cohort decides the rest
	Undecided Mark = '-' // Cohort does not serve the operation
)

// Every is the method of an operation that stands for all methods, and everything below
// is the end of a path that stands for the path and all paths below it.
const (
	Every           = "*"
	everythingBelow = "/*"
)

// Operation is one operation of the vendor's API, or all operations below a path.
type Operation struct {
	Mark   Mark
	Family string // of resources, such as "price lists"
	Prefix string // of the dialect, such as "/v3"
	Method string // or Every
	// Path follows the prefix. Variable segments are in braces. It ends in "/*" if it
	// stands for all paths below it too.
	Path string
}

func (o Operation) String() string { return o.Method + " " + o.Prefix + o.Path }

// Operations returns all operations in the order of the list: those of a family are
// together.
func Operations() []Operation { return slices.Clone(operations()) }

var operations = sync.OnceValue(func() []Operation {
	list, err := parse(text)
	if err != nil {
		panic(err) // the text is a part of the program, and a test reads it
	}
	return list
})

// parse reads the format that the head of operations.txt describes. A line in brackets
// is the family of the lines that follow.
func parse(text string) ([]Operation, error) {
	var list []Operation
	family := ""
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			family = line[1 : len(line)-1]
			continue
		}
		f := strings.Fields(line)
		if len(f) != 4 || len(f[0]) != 1 || !strings.ContainsAny(f[0], "=~-") || family == "" || !strings.HasPrefix(f[3], "/") {
			return nil, fmt.Errorf("operations.txt, line %d: %q is not a mark, a version, a method and a path", number, line)
		}
		list = append(list, Operation{Mark: Mark(f[0][0]), Family: family, Prefix: "/" + f[1], Method: f[2], Path: f[3]})
	}
	return list, nil
}

// String returns what the coverage says of an operation that is served.
func (m Mark) String() string {
	if m == Exact {
		return "exact"
	}
	return "decided here"
}

// Key identifies an operation, whatever the names of the variable segments of its path.
func Key(method, prefix, path string) string { return method + " " + prefix + Shape(path) }

// Key returns the key of the operation.
func (o Operation) Key() string { return Key(o.Method, o.Prefix, o.Path) }

// Shape returns a path with all variable segments named alike, to compare paths whose
// variable segments have different names.
func Shape(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

// Index finds the operation that a request would be in the vendor's API. It holds only
// operations that Cohort does not serve.
type Index struct{ dialects map[string]*node }

// node is a path. Its children are by the next segment: a fixed name, else any.
type node struct {
	names   map[string]*node
	any     *node
	methods map[string]*Operation
	below   *Operation // for this path and all paths below it
}

// NewIndex returns an index of the operations for which served returns false. path has
// the form of Shape.
func NewIndex(served func(prefix, method, path string) bool) *Index {
	x := &Index{dialects: map[string]*node{}}
	for _, o := range operations() {
		if served(o.Prefix, o.Method, Shape(o.Path)) {
			continue
		}
		if x.dialects[o.Prefix] == nil {
			x.dialects[o.Prefix] = &node{}
		}
		x.dialects[o.Prefix].add(o)
	}
	return x
}

func (n *node) add(o Operation) {
	path, all := strings.CutSuffix(o.Path, everythingBelow)
	for segment := range strings.SplitSeq(path[1:], "/") {
		n = n.child(segment)
	}
	if all {
		n.below = &o
		return
	}
	if n.methods == nil {
		n.methods = map[string]*Operation{}
	}
	n.methods[o.Method] = &o
}

func (n *node) child(segment string) *node {
	if strings.HasPrefix(segment, "{") {
		if n.any == nil {
			n.any = &node{}
		}
		return n.any
	}
	if n.names == nil {
		n.names = map[string]*node{}
	}
	if n.names[segment] == nil {
		n.names[segment] = &node{}
	}
	return n.names[segment]
}

// Find returns the operation of a method and a path after the prefix of its dialect, or
// nil. It looks at no more segments than the longest path of the list has, and allocates
// nothing.
func (x *Index) Find(prefix, method, path string) *Operation {
	if method == "HEAD" {
		method = "GET"
	}
	n := x.dialects[prefix]
	var below *Operation
	for n != nil && path != "" {
		segment := path[1:]
		if end := strings.IndexByte(segment, '/'); end >= 0 {
			segment = segment[:end]
		}
		path = path[1+len(segment):]
		if n = n.next(segment); n != nil && n.below != nil {
			below = n.below // of the longest path so far
		}
	}
	if n != nil && n.methods[method] != nil {
		return n.methods[method]
	}
	return below
}

func (n *node) next(segment string) *node {
	if named := n.names[segment]; named != nil {
		return named
	}
	if segment == "" {
		return nil
	}
	return n.any
}
