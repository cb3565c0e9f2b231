package replay

import (
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort/internal/exchange"
)

// What differs between two responses.
const (
	Status     = "status"
	Header     = "header"
	Body       = "body" // JSON in one response, and not in the other
	Type       = "type"
	MissingKey = "missing key"
	NewKey     = "new key"
	KeyOrder   = "order of keys"
	Values     = "value"
)

// Difference is one way in which a response differs from the recorded one.
type Difference struct {
	What string `json:"what"`
	// Field is the path of a field, such as data[].name, "" for the whole body, or the
	// name of a header.
	Field    string `json:"field"`
	Recorded string `json:"recorded"` // a status, a type, the keys, or values as JSON
	Got      string `json:"got"`
}

// maxDifferences bounds the differences of one response.
const maxDifferences = 50

// maxText bounds a text in a difference, in bytes.
const maxText = 500

type differences struct{ list []Difference }

func (d *differences) add(what, field, recorded, got string) {
	if len(d.list) < maxDifferences {
		d.list = append(d.list, Difference{what, shorten(field), shorten(recorded), shorten(got)})
	}
}

func shorten(text string) string {
	if len(text) > maxText {
		return strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}

// answer is a response as it is compared.
type answer struct {
	status      int
	contentType string
	hasLocation bool
	text        string          // of a body that is not JSON
	json        *exchange.Value // nil: the body is not JSON
	shape       *shape          // of json
	unknown     bool            // the body is too large, or is not known
}

func recorded(e *exchange.Exchange) answer {
	h := e.Response.Header
	a := answer{
		status: e.Status, contentType: h["Content-Type"], hasLocation: h["Location"] != "",
		text: e.Response.Body.Text, json: e.Response.Body.JSON, unknown: e.Response.Body.Left != "" || e.Method == "HEAD",
	}
	return a.withShape()
}

func (a answer) withShape() answer {
	if a.json != nil {
		a.shape = shapeOf(*a.json)
	}
	return a
}

// compare returns the differences of a response from the recorded one. values are the
// fields whose values are compared too. If the statuses differ, nothing else is compared.
func compare(want, got answer, values []string) []Difference {
	var d differences
	if want.status != got.status {
		d.add(Status, "", strconv.Itoa(want.status), strconv.Itoa(got.status))
		return d.list
	}
	if want.contentType != got.contentType && want.contentType != "***" {
		d.add(Header, "Content-Type", want.contentType, got.contentType)
	}
	if want.hasLocation != got.hasLocation {
		d.add(Header, "Location", present(want.hasLocation), present(got.hasLocation))
	}
	switch {
	case want.unknown || got.unknown:
	case want.shape != nil && got.shape != nil:
		want.shape.compare("", got.shape, &d)
		if want.json != nil && got.json != nil {
			compareValues(*want.json, *got.json, values, &d)
		}
	case want.shape != nil || got.shape != nil || want.text != got.text:
		d.add(Body, "", want.describe(), got.describe())
	}
	return d.list
}

func present(yes bool) string {
	if yes {
		return "present"
	}
	return "missing"
}

func (a answer) describe() string {
	switch {
	case a.shape != nil:
		return "JSON"
	case a.text == "":
		return "empty"
	}
	return "a text"
}

// compareValues compares the values of fields, each as a list in the order of the body.
func compareValues(want, got exchange.Value, fields []string, into *differences) {
	for _, field := range fields {
		var a, b []string
		collect(want, "", field, &a)
		collect(got, "", field, &b)
		if !slices.Equal(a, b) {
			into.add(Values, field, strings.Join(a, ", "), strings.Join(b, ", "))
		}
	}
}

// collect adds the values of a field. The field is a name, or the end of a path such as
// discount_rules.amount.
func collect(v exchange.Value, path, field string, into *[]string) {
	if path == field || strings.HasSuffix(path, "."+field) {
		*into = append(*into, v.String())
		return
	}
	for _, m := range v.Members {
		collect(m.Value, join(path, m.Key), field, into)
	}
	for _, item := range v.Items {
		collect(item, path, field, into)
	}
}
