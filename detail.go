package cohort

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// Details are the fields of a catalog resource that neither prices nor access depend on,
// such as descriptions: JSON values by the name of the field, in the form that
// [DetailField.Parse] returns. A field that was never set is missing.
type Details map[string]json.RawMessage

// Merge returns d with the fields of update. It changes neither of them.
func (d Details) Merge(update Details) Details {
	if len(update) == 0 {
		return d
	}
	merged := Details{}
	maps.Copy(merged, d)
	maps.Copy(merged, update)
	return merged
}

// Text returns the text of a field, or fallback if it was never set.
func (d Details) Text(field, fallback string) string { return detailOr(d, field, fallback) }

// Integer returns the number of a field, or fallback if it was never set.
func (d Details) Integer(field string, fallback int64) int64 { return detailOr(d, field, fallback) }

// Bool returns the value of a field, or fallback if it was never set.
func (d Details) Bool(field string, fallback bool) bool { return detailOr(d, field, fallback) }

func detailOr[V any](d Details, field string, fallback V) V {
	value := fallback
	if json.Unmarshal(d[field], &value) != nil { // missing, or null
		return fallback
	}
	return value
}

// DetailKind is the type of a field of Details.
type DetailKind string

// The types of fields.
const (
	DetailText    DetailKind = "string"
	DetailInteger DetailKind = "integer"
	DetailNumber  DetailKind = "number"
	DetailBoolean DetailKind = "boolean"
	DetailTime    DetailKind = "date-time"
	DetailObject  DetailKind = "object"
	DetailArray   DetailKind = "array" // of elements of one type
)

// DetailField describes a field of Details.
type DetailField struct {
	Name string
	Kind DetailKind
	// Min and Max bound the length of a text in Unicode code points, an integer or a
	// number, and the number of elements of an array. Max bounds the bytes of an object in
	// its stored form. Both 0: unbounded.
	Min, Max int64
	Choices  []string      // the texts that are allowed; nil: all
	Nullable bool          // whether null is allowed
	Default  string        // the JSON value in responses of a field that was never set
	Element  *DetailField  // of an array
	Fields   []DetailField // of an object; nil: the object may have any fields
	Required bool          // whether an object must have the field
	ReadOnly bool          // whether an object may have the field, and Parse leaves it out
}

// maxDetailText bounds the length of a text for which the vendor's reference has no bound,
// and that of all texts of an array together.
const maxDetailText = 65_535

// Fields that several resources have.
var (
	metaKeywords = DetailField{
		Name: "meta_keywords", Kind: DetailArray, Max: 1000, Default: `[""]`,
		Element: &DetailField{Kind: DetailText, Max: 65_535},
	}
	imageURL = DetailField{Name: "image_url", Kind: DetailText, Max: 2048, Default: `""`}
)

// sortOrder is the place of a resource among others of its kind.
func sortOrder() DetailField {
	return DetailField{Name: "sort_order", Kind: DetailInteger, Min: math.MinInt32, Max: math.MaxInt32, Default: "0"}
}

// customURL is the path of a resource on a storefront. Its default depends on the name.
func customURL(most int64) DetailField {
	return DetailField{Name: "custom_url", Kind: DetailObject, Fields: []DetailField{
		{Name: "url", Kind: DetailText, Min: 1, Max: most, Required: true},
		{Name: "is_customized", Kind: DetailBoolean, Default: "true"},
	}}
}

// Parse returns the stored form of a JSON value, which must be well-formed: without
// spaces, and with numbers as short as possible. It returns a KindInvalid error for a
// value of the wrong type or out of bounds. The error's Field is the place within the
// value, and "" for the value itself.
func (f DetailField) Parse(raw json.RawMessage) (json.RawMessage, error) {
	if string(raw) == "null" {
		if !f.Nullable {
			return nil, Invalid("", "The value must not be null.")
		}
		return raw, nil
	}
	switch f.Kind {
	case DetailText, DetailTime:
		return f.parseText(raw)
	case DetailInteger, DetailNumber:
		return f.parseNumber(raw)
	case DetailBoolean:
		if s := string(raw); s != "true" && s != "false" {
			return nil, Invalid("", "The value must be true or false.")
		}
		return raw, nil
	case DetailObject:
		return f.parseObject(raw)
	case DetailArray:
		return f.parseArray(raw)
	}
	return nil, fmt.Errorf("field %s has no type", f.Name)
}

func (f DetailField) parseText(raw json.RawMessage) (json.RawMessage, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, Invalid("", "The value must be a string.")
	}
	if f.Kind == DetailTime {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, Invalid("", "The value must be a date with time and zone, such as 2026-01-31T12:00:00Z.")
		}
		return quote(t.UTC().Format(time.RFC3339)), nil
	}
	most := f.Max
	if most == 0 {
		most = maxDetailText
	}
	if f.Choices != nil && !slices.Contains(f.Choices, text) {
		return nil, Invalid("", "The value must be one of: "+strings.Join(f.Choices, ", ")+".")
	}
	if err := checkText("", text, int(f.Min), int(most)); err != nil {
		return nil, err
	}
	return quote(text), nil
}

// quote returns a JSON string. Unlike json.Marshal it keeps <, > and &, as the responses
// of the vendor do.
func quote(text string) json.RawMessage {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string has no error
	return json.RawMessage(strings.TrimSuffix(b.String(), "\n"))
}

func (f DetailField) parseNumber(raw json.RawMessage) (json.RawMessage, error) {
	text := strings.Trim(string(raw), `"`) // clients send numbers as strings too
	if f.Kind == DetailInteger {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, Invalid("", "The value must be a whole number.")
		}
		return json.RawMessage(strconv.FormatInt(n, 10)), f.checkRange(decimal.NewFromInt(n))
	}
	d, err := ParseAmount(text)
	if err != nil {
		return nil, Invalid("", "The value must be a number.")
	}
	return json.RawMessage(d.String()), f.checkRange(d)
}

func (f DetailField) checkRange(d decimal.Decimal) error {
	if f.Min == 0 && f.Max == 0 {
		return nil
	}
	if d.LessThan(decimal.NewFromInt(f.Min)) || d.GreaterThan(decimal.NewFromInt(f.Max)) {
		return Invalid("", fmt.Sprintf("The value must be from %d to %d.", f.Min, f.Max))
	}
	return nil
}

func (f DetailField) parseArray(raw json.RawMessage) (json.RawMessage, error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return nil, Invalid("", "The value must be an array.")
	}
	if int64(len(elements)) > f.Max {
		return nil, Invalid("", fmt.Sprintf("The value must have at most %d elements.", f.Max))
	}
	wrong := ItemErrors{}
	b := []byte{'['}
	for i, element := range elements {
		parsed, err := f.Element.Parse(element)
		if err != nil {
			wrong[i] = err
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, parsed...)
	}
	if f.Element.Kind == DetailText && utf8.RuneCount(b) > maxDetailText {
		return nil, Invalid("", fmt.Sprintf("The elements must have at most %d characters together.", maxDetailText))
	}
	return append(b, ']'), wrong.Err()
}

func (f DetailField) parseObject(raw json.RawMessage) (parsed json.RawMessage, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, Invalid("", "The value must be an object.")
	}
	if f.Fields == nil {
		parsed, err = compact(raw)
	} else {
		parsed, err = f.parseMembers(members)
	}
	if err == nil && f.Max > 0 && int64(len(parsed)) > f.Max {
		return nil, Invalid("", fmt.Sprintf("The value must not be longer than %d bytes of JSON.", f.Max))
	}
	return parsed, err
}

// compact returns a JSON value without spaces.
func compact(raw json.RawMessage) (json.RawMessage, error) {
	if !utf8.Valid(raw) { // PostgreSQL cannot store it
		return nil, Invalid("", "The value contains a character that is not allowed.")
	}
	var b bytes.Buffer
	err := json.Compact(&b, raw)
	return b.Bytes(), err
}

func (f DetailField) parseMembers(members map[string]json.RawMessage) (json.RawMessage, error) {
	b := []byte{'{'}
	for _, field := range f.Fields {
		value, ok := members[field.Name]
		switch {
		case field.ReadOnly:
			delete(members, field.Name)
			continue
		case ok:
			var err error
			if value, err = field.Parse(value); err != nil {
				return nil, within(field.Name, err)
			}
			delete(members, field.Name)
		case field.Required:
			return nil, Invalid(field.Name, "The field is required.")
		case field.Default == "":
			continue
		default:
			value = json.RawMessage(field.Default)
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, quote(field.Name)...), ':'), value...)
	}
	if unknown := slices.Sorted(maps.Keys(members)); len(unknown) > 0 {
		return nil, Invalid(unknown[0], "The field is not supported.")
	}
	return append(b, '}'), nil
}

// within returns an error about a field of an object. Errors of elements of an array
// become an error about the first of them.
func within(field string, err error) error {
	if items, ok := err.(ItemErrors); ok { //nolint:errorlint // Parse returns it as it is
		first := items.indexes()[0]
		return within(field+"."+strconv.Itoa(first), items[first])
	}
	e, ok := err.(*Error) //nolint:errorlint // Parse returns it as it is
	if !ok {
		return err
	}
	located := *e
	located.Field = strings.TrimSuffix(field+"."+e.Field, ".")
	return &located
}
