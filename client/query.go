package client

import (
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A filter is a struct whose fields have the name of a parameter in the tag "query":
//
//   - Opt[T] is sent if it is set, also if it is empty;
//   - lists are sent with commas between the values, unless they are empty;
//   - texts, numbers and times are sent unless they are zero;
//   - a TimeRange, IntRange or AmountRange is sent as two parameters, ":min" and ":max";
//   - true is sent as "true", false is not sent;
//   - with the tag "form" of "digit", true is sent as "1" and Set(false) as "0": some of the
//     vendor's parameters are numbers.

// optional is what every Opt has.
type optional interface{ text() (string, bool) }

// text returns the value for a query.
func (o Opt[T]) text() (string, bool) {
	if o.state != set {
		return "", false
	}
	return queryText(reflect.ValueOf(o.value)), true
}

// params returns the parameters of a filter.
func params(filter any) (url.Values, error) {
	q := url.Values{}
	return q, addParams(q, "", reflect.ValueOf(filter))
}

// addParams adds the parameters of a filter, or of a range whose name is the prefix.
func addParams(q url.Values, prefix string, v reflect.Value) error {
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("query")
		if name == "" {
			continue
		}
		name = prefix + name
		if isRange(v.Field(i)) {
			if err := addParams(q, name, v.Field(i)); err != nil {
				return err
			}
			continue
		}
		text, ok, err := param(v.Field(i))
		if err != nil {
			return argument("%s: %v", name, err)
		}
		if !ok {
			continue
		}
		if v.Type().Field(i).Tag.Get("form") == "digit" {
			text = digit(text)
		}
		q.Set(name, text)
	}
	return nil
}

func digit(flag string) string {
	if flag == "true" {
		return "1"
	}
	return "0"
}

func isRange(v reflect.Value) bool {
	switch v.Interface().(type) {
	case TimeRange, IntRange, AmountRange:
		return true
	}
	return false
}

func param(v reflect.Value) (text string, ok bool, err error) {
	if o, is := v.Interface().(optional); is {
		text, ok = o.text()
		return text, ok, nil
	}
	if v.Kind() != reflect.Slice {
		return queryText(v), !v.IsZero(), nil
	}
	var parts []string
	for i := range v.Len() {
		part := queryText(v.Index(i))
		if part == "" || strings.Contains(part, ",") {
			return "", false, fmt.Errorf("a value of a list is not empty and has no comma: %.80q", part)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ","), len(parts) > 0, nil
}

func queryText(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Time:
		return value.UTC().Format("2006-01-02T15:04:05Z")
	case fmt.Stringer:
		return value.String()
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	}
	panic("client: a filter has a field of the type " + v.Type().String())
}

// listQuery returns the parameters of a filter and a page.
func listQuery(filter any, p Page) (url.Values, error) {
	q, err := params(filter)
	if err != nil {
		return nil, err
	}
	page, err := p.params()
	if err != nil {
		return nil, err
	}
	for name, values := range page {
		q[name] = values
	}
	return q, nil
}

// listOnly are parameters of lists that select nothing. A service that ignores them would
// delete everything if a deletion had no others.
var listOnly = []string{"sort", "direction", "include", "include_fields", "exclude_fields"}

// deletionQuery returns the parameters of a deletion, which must have a filter: without one
// it would delete everything.
func deletionQuery(filter any) (url.Values, error) {
	q, err := params(filter)
	if err != nil {
		return nil, err
	}
	for _, name := range listOnly {
		if q.Has(name) {
			return nil, argument("a deletion has no parameter %q", name)
		}
	}
	if len(q) == 0 {
		return nil, argument("a deletion without a filter would delete everything")
	}
	return q, nil
}
