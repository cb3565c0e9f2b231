package journal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort/internal/match"
)

// Criteria select entries. Those that are not set match every entry.
type Criteria struct {
	Operation string `json:"operation"`
	Method    string `json:"method"`
	// Path is that after the store, such as /v2/customers/*. A star stands for any
	// characters.
	Path string `json:"path"`
	// Query and Header have values that a request must have.
	Query  map[string]string `json:"query"`
	Header map[string]string `json:"header"`
	// Body is JSON that the body must include: objects may have further fields, and arrays
	// have the same length.
	Body   json.RawMessage `json:"body"`
	Status int             `json:"status"`

	part    any // Body, decoded
	hasPart bool
}

// Prepare checks the criteria. It must be called before they are used, if they have a body.
func (c *Criteria) Prepare() (err error) {
	if c.hasPart = len(c.Body) > 0 && string(c.Body) != "null"; c.hasPart {
		c.part, err = decode(string(c.Body))
	}
	return err
}

// Difference is one way in which a request does not match.
type Difference struct {
	Field  string `json:"field"`  // such as "method" or "body.name"
	Wanted string `json:"wanted"` // as text; of a body JSON
	Got    string `json:"got"`    // "": nothing
}

// Miss is a request that does not match.
type Miss struct {
	Entry       *Entry
	Differences []Difference
}

// Match reports whether an entry matches.
func (c *Criteria) Match(e *Entry) bool {
	d := differences{first: true}
	c.compare(e, &d)
	return len(d.list) == 0
}

// maxMisses is how many near misses Verify returns.
const maxMisses = 3

// maxDifferences bounds the differences of one miss.
const maxDifferences = 50

// nearest returns the entries with the fewest differences; of equal ones the newest. It
// leaves out those that match.
func (c *Criteria) nearest(list []*Entry) (misses []Miss) {
	for _, e := range slices.Backward(list) {
		d := differences{}
		if c.compare(e, &d); len(d.list) > 0 {
			misses = append(misses, Miss{e, d.list})
		}
	}
	slices.SortStableFunc(misses, func(a, b Miss) int { return cmp.Compare(len(a.Differences), len(b.Differences)) })
	return misses[:min(len(misses), maxMisses)]
}

// differences collects differences.
type differences struct {
	list  []Difference
	first bool // one is enough
}

func (d *differences) add(field, wanted, got string) {
	if !d.full() {
		d.list = append(d.list, Difference{field, shorten(wanted), shorten(got)})
	}
}

func (d *differences) full() bool { return len(d.list) >= maxDifferences || d.first && len(d.list) > 0 }

// maxShown bounds a value in a difference.
const maxShown = 500

func shorten(s string) string {
	if len(s) > maxShown {
		return s[:maxShown] + "…"
	}
	return s
}

// compare adds the differences of an entry. The body, which is slow to read, comes last.
func (c *Criteria) compare(e *Entry, d *differences) {
	if c.Operation != "" && c.Operation != e.Operation {
		d.add("operation", c.Operation, e.Operation)
	}
	if c.Method != "" && c.Method != e.Method {
		d.add("method", c.Method, e.Method)
	}
	if path := e.PathInStore(); c.Path != "" && !match.Path(c.Path, path) {
		d.add("path", c.Path, path)
	}
	if c.Status != 0 && c.Status != e.Status {
		d.add("status", strconv.Itoa(c.Status), strconv.Itoa(e.Status))
	}
	if len(c.Query) > 0 {
		query, _ := url.ParseQuery(e.Query) // has what can be read
		compareValues("query.", c.Query, func(name string) []string { return query[name] }, d)
	}
	compareValues("header.", c.Header, e.Request.values, d)
	if c.hasPart && !d.full() {
		c.compareBody(e, d)
	}
}

func compareValues(prefix string, want map[string]string, values func(string) []string, d *differences) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got := values(name); !slices.Contains(got, want[name]) {
			d.add(prefix+name, want[name], strings.Join(got, ", "))
		}
	}
}

// values returns the values of a header.
func (m *Message) values(name string) (values []string) {
	name = textproto.CanonicalMIMEHeaderKey(name)
	for _, h := range m.Header {
		if h.Name == name {
			values = append(values, h.Value)
		}
	}
	return values
}

// PathInStore returns the path after the store, such as /v2/customers.
func (e *Entry) PathInStore() string {
	rest, _ := strings.CutPrefix(e.Path, "/stores/")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return ""
}

func (c *Criteria) compareBody(e *Entry, d *differences) {
	got, err := decode(e.Request.Body.Text)
	switch {
	case e.Request.Body.Cut && e.Request.Body.Text == "":
		d.add("body", string(c.Body), "(not read by the server)")
	case e.Request.Body.Cut:
		d.add("body", string(c.Body), "(too long to be compared)")
	case e.Request.Body.Text == "":
		d.add("body", string(c.Body), "")
	case err != nil:
		d.add("body", string(c.Body), "(not JSON)")
	default:
		compareJSON("body", c.part, got, d)
	}
}

// compareJSON adds the differences of a value that should include a part.
func compareJSON(path string, part, value any, d *differences) {
	if d.full() {
		return
	}
	switch part := part.(type) {
	case map[string]any:
		if object, ok := value.(map[string]any); ok {
			compareObject(path, part, object, d)
			return
		}
	case []any:
		if list, ok := value.([]any); ok && len(list) == len(part) {
			for i := range part {
				compareJSON(path+"."+strconv.Itoa(i), part[i], list[i], d)
			}
			return
		}
	case json.Number:
		if number, ok := value.(json.Number); ok && match.Numbers(part, number) {
			return
		}
	default:
		if part == value {
			return
		}
	}
	d.add(path, encode(part), encode(value))
}

func compareObject(path string, part, object map[string]any, d *differences) {
	for _, name := range slices.Sorted(maps.Keys(part)) {
		value, ok := object[name]
		if !ok {
			d.add(path+"."+name, encode(part[name]), "")
			continue
		}
		compareJSON(path+"."+name, part[name], value, d)
	}
}

// decode decodes one JSON value.
func decode(text string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
