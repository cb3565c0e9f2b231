package apiv3

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// addDetails adds fields of Details to the fields of a body.
func addDetails[T any](table api.Fields[T], details []cohort.DetailField, at func(*T) *cohort.Details) api.Fields[T] {
	for _, field := range details {
		table[field.Name] = func(into *T, v api.Value) error {
			parsed, err := field.Parse(v.JSON())
			if err != nil {
				return err
			}
			d := at(into)
			if *d == nil {
				*d = cohort.Details{}
			}
			(*d)[field.Name] = parsed
			return nil
		}
	}
	return table
}

// member is a member of a resource in responses. write appends its value.
type member[T any] struct {
	name  string
	write func(dst []byte, t *T) ([]byte, error)
}

// valueMember is a member whose value is encoded as JSON.
func valueMember[T, V any](name string, value func(*T) V) member[T] {
	return member[T]{name, func(dst []byte, t *T) ([]byte, error) { return api.AppendJSON(dst, value(t)) }}
}

// detailMembers are the members for fields of Details. A field that was never set has its
// default, unless defaults has another one for it.
func detailMembers[T any](details []cohort.DetailField, of func(*T) cohort.Details, defaults map[string]func(*T) json.RawMessage) []member[T] {
	members := make([]member[T], len(details))
	for i, field := range details {
		fallback := defaults[field.Name]
		members[i] = member[T]{field.Name, func(dst []byte, t *T) ([]byte, error) {
			switch value, ok := of(t)[field.Name]; {
			case ok:
				return append(dst, value...), nil
			case fallback != nil:
				return append(dst, fallback(t)...), nil
			}
			return append(dst, field.Default...), nil
		}}
	}
	return members
}

// notInURL are the characters that a path on the storefront does not have.
var notInURL = regexp.MustCompile(`[^\pL\pN]+`)

// inURL returns a name as a segment of a path on the storefront.
func inURL(name string) string { return strings.Trim(notInURL.ReplaceAllString(name, "-"), "-") }

// defaultURL is the custom_url of a resource for which the client has set none.
func defaultURL(path string) json.RawMessage {
	return json.RawMessage(`{"url":"` + path + `","is_customized":false}`)
}

// NamedPath is the path on the storefront of a category or product for which the client
// has set none.
func NamedPath(name string) string { return "/" + strings.ToLower(inURL(name)) + "/" }

// BrandPath is NamedPath for a brand.
func BrandPath(name string) string { return "/brands/" + inURL(name) + ".html" }

// object is a resource in a response, with some of its members.
type object[T any] struct {
	members []member[T]
	row     T
}

// MarshalJSON implements json.Marshaler.
func (o object[T]) MarshalJSON() ([]byte, error) { return o.append(nil) }

func (o object[T]) append(b []byte) ([]byte, error) {
	b = append(b, '{')
	for i, m := range o.members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), m.name...), `":`...)
		var err error
		if b, err = m.write(b, &o.row); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// fieldSelection are the parameters include_fields and exclude_fields.
type fieldSelection struct{ include, exclude []string }

// selectionFilters adds these parameters to a table. known are the members of the
// resource.
func selectionFilters[F, T any](table filters[F], known []member[T], at func(*F) *fieldSelection) {
	table["include_fields"] = func(into *F, value string) (err error) {
		at(into).include, err = readNames(value, known)
		return err
	}
	table["exclude_fields"] = func(into *F, value string) (err error) {
		at(into).exclude, err = readNames(value, known)
		return err
	}
}

// readNames reads names of members, with commas between them.
func readNames[T any](value string, known []member[T]) (names []string, err error) {
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		if !slices.ContainsFunc(known, func(m member[T]) bool { return m.name == name }) {
			return nil, cohort.Invalid("", fmt.Sprintf("There is no field %q.", name))
		}
		names = append(names, name)
	}
	return names, nil
}

// readSelection reads the parameters include_fields and exclude_fields of a request for
// one resource, and ignores the rest of the query string.
func readSelection[T any](r *api.Request, known []member[T]) (s fieldSelection, err error) {
	table := filters[fieldSelection]{}
	selectionFilters(table, known, func(s *fieldSelection) *fieldSelection { return s })
	return readSelected(r, table)
}

// readSelected reads those parameters of a request that a table has, and ignores the rest
// of the query string.
func readSelected[Q any](r *api.Request, table filters[Q]) (q Q, err error) {
	params, err := r.ParseQuery()
	if err != nil {
		return q, err
	}
	var failed failures
	for _, p := range params {
		if set, ok := table[p.Name]; ok {
			if err := set(&q, p.Value); err != nil {
				failed.add(p.Name, err)
			}
			continue
		}
		r.Unread.IgnoreParam(p.Name)
	}
	return q, failed.err()
}

// selected returns the selected ones of a resource's members. The id, which is the first
// of all, is always among them.
func selected[T any](s fieldSelection, all []member[T]) []member[T] {
	if s.include == nil && s.exclude == nil {
		return all
	}
	var members []member[T]
	for _, m := range all {
		if m.name == all[0].name || (s.include == nil || slices.Contains(s.include, m.name)) && !slices.Contains(s.exclude, m.name) {
			members = append(members, m)
		}
	}
	return members
}

// intFilters adds the filters name:min, name:max, name:greater and name:less on a whole
// number.
func intFilters[F any](table filters[F], name string, field func(*F) *cohort.IntRange) {
	add := func(suffix string, bounds func(n int64) cohort.IntRange) {
		table[name+suffix] = func(into *F, value string) error {
			n, err := readInteger(value)
			if err != nil {
				return err
			}
			at := field(into)
			*at = at.Intersect(bounds(n))
			return nil
		}
	}
	add(":min", func(n int64) cohort.IntRange { return cohort.IntRange{Min: &n} })
	add(":max", func(n int64) cohort.IntRange { return cohort.IntRange{Max: &n} })
	add(":greater", func(n int64) cohort.IntRange { return cohort.IntRange{Min: new(n + 1)} })
	add(":less", func(n int64) cohort.IntRange { return cohort.IntRange{Max: new(n - 1)} })
}

// maxFilterInteger keeps numbers in filters away from the ends of int64.
const maxFilterInteger = 1 << 62

func readInteger(value string) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n > maxFilterInteger || n < -maxFilterInteger {
		return 0, cohort.Invalid("", "The value must be a whole number.")
	}
	return n, nil
}

// directionFilter returns the entry for the parameter "direction".
func directionFilter[F any](descending func(*F) *bool) func(*F, string) error {
	return func(into *F, value string) error {
		switch value {
		case "asc", "desc":
			*descending(into) = value == "desc"
			return nil
		}
		return cohort.Invalid("", "The value must be asc or desc.")
	}
}

// sortFilter returns the entry for the parameter "sort", with the names of the orders.
func sortFilter[F any, S ~string](by func(*F) *S, names ...S) func(*F, string) error {
	return func(into *F, value string) error {
		var err error
		*by(into), err = readChoice(value, names)
		return err
	}
}

// flagFilter returns the entry for a boolean.
func flagFilter[F any](field func(*F) **bool) func(*F, string) error {
	return func(into *F, value string) error {
		switch value {
		case "true", "1":
			*field(into) = new(true)
		case "false", "0":
			*field(into) = new(false)
		default:
			return cohort.Invalid("", "The value must be true or false.")
		}
		return nil
	}
}

// choiceFilter returns the entry for one of some words.
func choiceFilter[F any, S ~string](field func(*F) **S, words ...S) func(*F, string) error {
	return func(into *F, value string) error {
		word, err := readChoice(value, words)
		*field(into) = &word
		return err
	}
}

func readChoice[S ~string](value string, words []S) (S, error) {
	if slices.Contains(words, S(value)) {
		return S(value), nil
	}
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return "", cohort.Invalid("", "The value must be one of: "+strings.Join(list, ", ")+".")
}
