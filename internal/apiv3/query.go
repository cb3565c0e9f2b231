package apiv3

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// The default and the maximum size of a page. A larger limit means the maximum.
// Source: the vendor's reference; the figures are those of its other V3 lists.
const (
	defaultLimit = 50
	maxLimit     = 250
)

// maxListed is how many values one ":in" filter may have.
const maxListed = 1000

// filters has the filters of a list. Each function reads the value of one parameter
// into an F.
type filters[F any] map[string]func(into *F, value string) error

// paging is the requested page of a list and how it was requested.
type paging struct {
	cohort.Page
	byNumber bool // the client sent a page number
	query    []api.Param
}

// byCursor reports whether the client sent a cursor.
func (p paging) byCursor() bool { return p.After != "" || p.Before != "" }

// decodeQuery reads the parameters of a list.
func decodeQuery[F any](r *api.Request, table filters[F]) (filter F, page paging, err error) {
	page.Page = cohort.Page{Number: 1, Size: defaultLimit}
	if page.query, err = r.ParseQuery(); err != nil {
		return filter, page, err
	}
	var failed failures
	var unknown []string
	for _, p := range page.query {
		set, known := table[p.Name]
		switch {
		case isPaging(p.Name):
			set = func(_ *F, value string) error { return page.set(p.Name, value) }
		case !known:
			unknown = append(unknown, p.Name)
			continue
		}
		if err := set(&filter, p.Value); err != nil {
			failed.add(p.Name, err)
		}
	}
	if len(unknown) > 0 {
		return filter, page, unknownFilters(unknown)
	}
	if page.byCursor() && (page.byNumber || page.After != "" && page.Before != "") {
		failed.add("page", cohort.Invalid("", "Only one of page, before and after can be given."))
	}
	return filter, page, failed.err()
}

func unknownFilters(names []string) error {
	return &cohort.Error{
		Kind:    cohort.KindInvalid,
		Message: "The filter(s): " + strings.Join(names, ", ") + " are not valid filter parameter(s).",
	}
}

// isPaging reports whether a parameter selects a page.
func isPaging(name string) bool {
	switch name {
	case "page", "limit", "after", "before":
		return true
	}
	return false
}

func (p *paging) set(name, value string) (err error) {
	switch name {
	case "page":
		p.byNumber = true
		p.Number, err = readCount(value)
	case "limit":
		p.Size, err = readCount(value)
		p.Size = min(p.Size, maxLimit)
	case "after":
		p.After, err = readCursor(value)
	case "before":
		p.Before, err = readCursor(value)
	}
	return err
}

// readCount reads a whole number from 1. A number that does not fit into an int is
// valid and means the largest int, which Atoi returns with ErrRange.
func readCount(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil && !errors.Is(err, strconv.ErrRange) || n < 1 {
		return 1, cohort.Invalid("", "The value must be a whole number from 1.")
	}
	return n, nil
}

// A cursor is the encoded sort key of a row. Clients should treat it as opaque.

func readCursor(value string) (string, error) {
	key, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(key) == 0 {
		return "", cohort.Invalid("", "The value is not a cursor of this list.")
	}
	return string(key), nil
}

func cursor(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// link returns the query string of another page of the list: the same filters with
// one other paging parameter.
func (p paging) link(name, value string) string {
	var b strings.Builder
	separator := "?"
	add := func(name, value string) {
		b.WriteString(separator + url.QueryEscape(name) + "=" + url.QueryEscape(value))
		separator = "&"
	}
	for _, q := range p.query {
		if !isPaging(q.Name) {
			add(q.Name, q.Value)
		}
	}
	if name != "" {
		add(name, value)
	}
	add("limit", strconv.Itoa(p.Size))
	return b.String()
}

// readParams calls set with each parameter of a list that has no pages by number. set reports
// whether the list has such a parameter.
func readParams(r *api.Request, set func(name, value string) (known bool, err error)) error {
	params, err := r.ParseQuery()
	if err != nil {
		return err
	}
	var failed failures
	var unknown []string
	for _, p := range params {
		known, err := set(p.Name, p.Value)
		switch {
		case !known:
			unknown = append(unknown, p.Name)
		case err != nil:
			failed.add(p.Name, err)
		}
	}
	if len(unknown) > 0 {
		return unknownFilters(unknown)
	}
	return failed.err()
}

// decodeDeletion reads the filters of a deletion. It rejects a query without filters,
// which would delete everything, and empty values, which are probably mistakes.
func decodeDeletion[F any](r *api.Request, table filters[F]) (filter F, err error) {
	params, err := r.ParseQuery()
	if err != nil {
		return filter, err
	}
	var failed failures
	var unknown []string
	for _, p := range params {
		set, known := table[p.Name]
		switch {
		case !known:
			unknown = append(unknown, p.Name)
			continue
		case p.Value == "":
			err = cohort.Invalid("", "The value must not be empty.")
		default:
			err = set(&filter, p.Value)
		}
		if err != nil {
			failed.add(p.Name, err)
		}
	}
	switch {
	case len(unknown) > 0:
		return filter, unknownFilters(unknown)
	case len(params) == 0:
		return filter, &cohort.Error{Kind: cohort.KindInvalid, Message: "A filter must say what to delete."}
	}
	return filter, failed.err()
}

func partFilter[F any](field func(*F) *string) func(*F, string) error {
	return func(into *F, value string) error {
		*field(into) = value
		return nil
	}
}

// idFilter returns the entry for a list of ids, separated by commas.
func idFilter[F any](field func(*F) *[]int64) func(*F, string) error {
	return listFilter(field, func(value string) (int64, error) {
		id, err := strconv.ParseInt(value, 10, 64)
		if err != nil || id < 0 {
			return 0, cohort.Invalid("", "The value must be an id, or several with commas between them.")
		}
		return id, nil
	})
}

// oneIDFilter returns the entry for exactly one id.
func oneIDFilter[F any](field func(*F) *[]int64) func(*F, string) error {
	return func(into *F, value string) error {
		id, err := strconv.ParseInt(value, 10, 64)
		if err != nil || id < 0 {
			return cohort.Invalid("", "The value must be an id.")
		}
		narrow(field(into), []int64{id})
		return nil
	}
}

// oneWordFilter returns the entry for exactly one text, which may contain commas.
func oneWordFilter[F any](field func(*F) *[]string) func(*F, string) error {
	return func(into *F, value string) error {
		narrow(field(into), []string{value})
		return nil
	}
}

// wordFilter returns the entry for a list of texts, separated by commas.
func wordFilter[F any](field func(*F) *[]string) func(*F, string) error {
	return listFilter(field, func(value string) (string, error) {
		if value == "" { // an extra comma would match all rows without a value
			return "", cohort.Invalid("", "The value must be a text, or several with commas between them, none of them empty.")
		}
		return value, nil
	})
}

func listFilter[F any, V comparable](field func(*F) *[]V, read func(string) (V, error)) func(*F, string) error {
	return func(into *F, value string) error {
		list := []V{}
		for part := range strings.SplitSeq(value, ",") {
			if len(list) == maxListed {
				return cohort.Invalid("", "The list has too many values.")
			}
			v, err := read(strings.TrimSpace(part))
			if err != nil {
				return err
			}
			list = append(list, v)
		}
		narrow(field(into), list)
		return nil
	}
}

// narrow sets a filter to a list of values. If another parameter has set it, the
// result is the intersection, so the order of the parameters does not matter.
func narrow[V comparable](at *[]V, list []V) {
	if *at != nil {
		list = slices.DeleteFunc(list, func(v V) bool { return !slices.Contains(*at, v) })
	}
	*at = list
}

// dateFilters adds the filters name, name:min and name:max on a date.
func dateFilters[F any](table filters[F], name string, field func(*F) *cohort.TimeRange) {
	table[name] = api.DateFilter(field, api.OnDate)
	table[name+":min"] = api.DateFilter(field, api.FromDate)
	table[name+":max"] = api.DateFilter(field, api.UntilDate)
}

// amountFilters adds the filters name, name:min and name:max on an amount.
func amountFilters[F any](table filters[F], name string, field func(*F) *cohort.AmountRange) {
	add := func(suffix string, bounds func(decimal.NullDecimal) cohort.AmountRange) {
		table[name+suffix] = func(into *F, value string) error {
			d, err := cohort.ParseAmount(value)
			if err != nil {
				return cohort.Invalid("", "The value must be a number.")
			}
			at := field(into)
			*at = at.Intersect(bounds(decimal.NewNullDecimal(d)))
			return nil
		}
	}
	add("", func(d decimal.NullDecimal) cohort.AmountRange { return cohort.AmountRange{Min: d, Max: d} })
	add(":min", func(d decimal.NullDecimal) cohort.AmountRange { return cohort.AmountRange{Min: d} })
	add(":max", func(d decimal.NullDecimal) cohort.AmountRange { return cohort.AmountRange{Max: d} })
}
