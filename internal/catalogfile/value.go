package catalogfile

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// value is the value of a field. Its methods parse it, and return a KindInvalid error
// without a field name.
type value interface {
	text() (string, error)
	id() (int64, error)
	amount() (decimal.Decimal, error)
	ids() ([]int64, error)
	options() ([]cohort.OptionValue, error)
	tiers() ([]cohort.BulkTier, error)
}

func invalid(format string, args ...any) error {
	return cohort.Invalid("", fmt.Sprintf(format, args...))
}

// short quotes a text for a message and shortens it.
func short(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}

func parseID(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || s[0] == '+' {
		return 0, invalid("%s is not an id, which is a whole number.", short(s))
	}
	return n, nil
}

func parseAmount(s string) (decimal.Decimal, error) {
	d, err := cohort.ParseAmount(s)
	if err != nil {
		return d, invalid("%s is not a decimal number, such as 12.50.", short(s))
	}
	return d, nil
}

// cell is a non-empty value of CSV.
type cell string

// listSeparator separates the elements of a list in one cell.
const listSeparator = ";"

func (c cell) text() (string, error)            { return string(c), nil }
func (c cell) id() (int64, error)               { return parseID(strings.TrimSpace(string(c))) }
func (c cell) amount() (decimal.Decimal, error) { return parseAmount(strings.TrimSpace(string(c))) }

func (c cell) ids() ([]int64, error) {
	var ids []int64
	for part := range strings.SplitSeq(string(c), listSeparator) {
		id, err := cell(part).id()
		if err != nil {
			return nil, invalid("%s is not a list of ids, such as 18;19.", short(string(c)))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (c cell) options() ([]cohort.OptionValue, error) {
	var values []cohort.OptionValue
	for part := range strings.SplitSeq(string(c), listSeparator) {
		option, choice, _ := strings.Cut(part, ":")
		optionID, err := cell(option).id()
		valueID, err2 := cell(choice).id()
		if err != nil || err2 != nil {
			return nil, invalid("%s is not a list of options and values, such as 7:101;8:112.", short(string(c)))
		}
		values = append(values, cohort.OptionValue{OptionID: optionID, ValueID: valueID})
	}
	return values, nil
}

func (c cell) tiers() ([]cohort.BulkTier, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	return member{v}.tiers()
}

// json parses a cell that has JSON.
func (c cell) json() (api.Value, error) {
	v, err := api.ParseValue([]byte(c))
	if err != nil {
		return v, invalid("%s is not valid JSON.", short(string(c)))
	}
	return v, nil
}

// detail returns a cell as the JSON value of a field, nil if the cell is empty. Arrays and
// objects are JSON in the cell.
func (c cell) detail(f cohort.DetailField) (json.RawMessage, error) {
	if c == "" {
		return nil, nil
	}
	switch f.Kind {
	case cohort.DetailArray, cohort.DetailObject:
		v, err := c.json()
		if err != nil {
			return nil, err
		}
		return v.JSON(), nil
	case cohort.DetailBoolean:
		return json.RawMessage(strings.ToLower(strings.TrimSpace(string(c)))), nil // spreadsheets write TRUE
	case cohort.DetailInteger, cohort.DetailNumber, cohort.DetailTime:
		return json.RawMessage(quote(strings.TrimSpace(string(c)))), nil
	}
	return json.RawMessage(quote(string(c))), nil
}

// member is a non-null value of JSONL.
type member struct{ api.Value }

func (m member) text() (string, error) {
	s, ok := m.Text()
	if !ok {
		return "", invalid("%s is not a string.", short(m.String()))
	}
	return s, nil
}

func (m member) id() (int64, error) {
	n, ok := m.Int()
	if !ok {
		return 0, invalid("%s is not an id, which is a whole number.", short(m.String()))
	}
	return n, nil
}

func (m member) amount() (decimal.Decimal, error) {
	s, ok := m.Number()
	if !ok {
		return decimal.Decimal{}, invalid("%s is not a decimal number, such as 12.50.", short(m.String()))
	}
	return parseAmount(s)
}

func (m member) ids() ([]int64, error) {
	return elements(m, func(v api.Value) (int64, error) { return member{v}.id() })
}

func (m member) options() ([]cohort.OptionValue, error) {
	return elements(m, func(v api.Value) (o cohort.OptionValue, err error) {
		return o, object(v, map[string]func(member) error{
			"option_id": func(v member) (err error) { o.OptionID, err = v.id(); return err },
			"id":        func(v member) (err error) { o.ValueID, err = v.id(); return err },
		}, "option_id", "id")
	})
}

func (m member) tiers() ([]cohort.BulkTier, error) {
	return elements(m, func(v api.Value) (t cohort.BulkTier, err error) {
		return t, object(v, map[string]func(member) error{
			"quantity_min": func(v member) (err error) { t.QuantityMin, err = v.id(); return err },
			"quantity_max": func(v member) (err error) { t.QuantityMax, err = v.id(); return err },
			"type": func(v member) error {
				word, err := v.text()
				t.Method = cohort.Method(word)
				return err
			},
			"amount": func(v member) (err error) { t.Amount, err = v.amount(); return err },
		}, "quantity_min", "type", "amount")
	})
}

// elements parses an array.
func elements[T any](m member, one func(api.Value) (T, error)) ([]T, error) {
	values, ok := m.Array()
	if !ok {
		return nil, invalid("%s is not an array.", short(m.String()))
	}
	list := make([]T, len(values))
	for i, v := range values {
		t, err := one(v)
		if err != nil {
			return nil, at(fmt.Sprintf("element %d", i+1), err)
		}
		list[i] = t
	}
	return list, nil
}

// object parses an object in an array. Null fields are absent.
func object(v api.Value, fields map[string]func(member) error, required ...string) error {
	o, ok := v.Object()
	if !ok {
		return invalid("%s is not an object.", short(v.String()))
	}
	for _, m := range o {
		set, known := fields[m.Name]
		switch {
		case !known:
			return invalid("there is no field %s.", short(m.Name))
		case m.Value.IsNull():
			continue
		}
		if err := set(member{m.Value}); err != nil {
			return at(m.Name, err)
		}
	}
	for _, name := range required {
		if (jsonRecord)(o).value(name) == nil {
			return invalid("the field %s is missing.", name)
		}
	}
	return nil
}

// at adds the position within a value to an error.
func at(position string, err error) error { return invalid("%s: %s", position, reasonOf(err)) }
