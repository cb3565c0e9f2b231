package snippet

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// JSON lays a JSON text out, with short objects and arrays on one line. It panics if the text
// is no JSON.
func JSON(text string) string { return parse(text).write(jsonStyle, "") }

// value is a JSON value with its members in order.
type value struct {
	kind  byte // '{', '[', '"', or '0' for numbers, true, false and null
	text  string
	names []string
	items []value
}

// parse reads a JSON text. The texts are part of the program, and tests read them all.
func parse(text string) value {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := read(d)
	if err != nil {
		panic(fmt.Sprintf("snippet: %v in %s", err, text))
	}
	return v
}

func read(d *json.Decoder) (value, error) {
	token, err := d.Token()
	if err != nil {
		return value{}, err
	}
	switch t := token.(type) {
	case json.Delim:
		return readAll(d, byte(t))
	case string:
		return value{kind: '"', text: t}, nil
	case nil:
		return value{kind: '0', text: "null"}, nil
	}
	return value{kind: '0', text: fmt.Sprint(token)}, nil
}

// readAll reads the members of an object, or the elements of an array.
func readAll(d *json.Decoder, kind byte) (value, error) {
	v := value{kind: kind}
	for d.More() {
		if kind == '{' {
			name, err := d.Token()
			if err != nil {
				return v, err
			}
			v.names = append(v.names, fmt.Sprint(name))
		}
		item, err := read(d)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
	}
	_, err := d.Token()
	return v, err
}

// style is how a language writes values.
type style struct {
	object, array [2]string // what begins and ends them
	empty         string    // an empty object
	name          func(string) string
	text          func(string) string
	words         map[string]string // for true, false and null, if they differ
	indent        string
	comma         bool // after the last element of several lines
}

var (
	braces, brackets = [2]string{"{", "}"}, [2]string{"[", "]"}

	jsonStyle = style{object: braces, array: brackets, empty: "{}", name: func(s string) string { return double(s) + ": " }, text: double, indent: "  "}
	nodeStyle = style{object: braces, array: brackets, empty: "{}", name: func(s string) string { return bare(s, single) + ": " }, text: single, indent: "  ", comma: true}

	pythonStyle = style{object: braces, array: brackets, empty: "{}", name: func(s string) string { return double(s) + ": " }, text: double,
		words: map[string]string{"true": "True", "false": "False", "null": "None"}, indent: "    ", comma: true}
	phpStyle = style{object: brackets, array: brackets, empty: "new stdClass()", name: func(s string) string { return single(s) + " => " }, text: single, indent: "    ", comma: true}
	// Ruby has symbols in place of bare names.
	rubyStyle = style{object: braces, array: brackets, empty: "{}", name: rubyName, text: single, words: map[string]string{"null": "nil"}, indent: "  "}
)

// maxLine is the length up to which an object or an array is on one line.
const maxLine = 60

// write returns the value in a style. Its further lines begin with the margin.
func (v value) write(s style, margin string) string {
	switch v.kind {
	case '"':
		return s.text(v.text)
	case '0':
		if word, ok := s.words[v.text]; ok {
			return word
		}
		return v.text
	}
	edges := s.array
	if v.kind == '{' {
		edges = s.object
	}
	switch {
	case len(v.items) == 0 && v.kind == '{':
		return s.empty
	case len(v.items) == 0:
		return edges[0] + edges[1]
	}
	inner := margin + s.indent
	parts := make([]string, len(v.items))
	for i, item := range v.items {
		parts[i] = item.write(s, inner)
		if v.kind == '{' {
			parts[i] = s.name(v.names[i]) + parts[i]
		}
	}
	if line := edges[0] + strings.Join(parts, ", ") + edges[1]; len(line) <= maxLine && !strings.Contains(line, "\n") {
		return line
	}
	end := ""
	if s.comma {
		end = ","
	}
	return edges[0] + "\n" + inner + strings.Join(parts, ",\n"+inner) + end + "\n" + margin + edges[1]
}

// single returns a text in single quotes, as Node.js, PHP and Ruby read it. Texts have no
// control characters.
func single(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// double returns a text in double quotes, as JSON, Python and Go read it.
func double(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(text) != nil {
		return strconv.Quote(text) // a text is always JSON
	}
	return strings.TrimSpace(b.String())
}

var bareName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// bare returns a name without quotes if that is possible.
func bare(name string, quote func(string) string) string {
	if bareName.MatchString(name) {
		return name
	}
	return quote(name)
}

func rubyName(name string) string {
	if bareName.MatchString(name) {
		return name + ": "
	}
	return single(name) + " => "
}

// Shorten is [JSON] with at most so many elements of each list. It also reports whether a list
// had more.
func Shorten(text string, elements int) (short string, cut bool) {
	v := parse(text)
	cut = v.shorten(elements)
	return v.write(jsonStyle, ""), cut
}

func (v *value) shorten(elements int) (cut bool) {
	if v.kind == '[' && len(v.items) > elements {
		v.items, cut = v.items[:elements], true
	}
	for i := range v.items {
		cut = v.items[i].shorten(elements) || cut
	}
	return cut
}
