package apiv2

import (
	"errors"
	"fmt"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// The size of a page. Source: the vendor's reference.
const (
	defaultLimit = 50
	maxLimit     = 250
)

// filters is what the list of a resource can be filtered by: for each
// parameter, how its value gets into an F.
type filters[F any] map[string]func(into *F, value string) error

// decodeQuery reads the parameters of a list, or of a count, which takes the
// same ones and has no use for the page. The page has the given size unless
// the client sends a limit.
func decodeQuery[F any](r *api.Request, table filters[F], size int) (filter F, page cohort.Page, err error) {
	page = cohort.Page{Number: 1, Size: size}
	params, err := api.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return filter, page, err
	}
	for _, p := range params {
		if err := decodeParam(p, &filter, &page, table); err != nil {
			return filter, page, err
		}
	}
	return filter, page, nil
}

func decodeParam[F any](p api.Param, filter *F, page *cohort.Page, table filters[F]) (err error) {
	switch p.Name {
	case "page":
		page.Number, err = readCount(p)
		return err
	case "limit":
		page.Size, err = readCount(p)
		if err == nil && page.Size > maxLimit {
			return &cohort.Error{Kind: cohort.KindTooLarge, Field: p.Name, Reason: fmt.Sprintf("The limit must not be more than %d.", maxLimit)}
		}
		return err
	}
	set, known := table[p.Name]
	if !known {
		return unsupported(p.Name)
	}
	return onField(p.Name, set(filter, p.Value))
}

// readCount reads a page number or a page size. One that no integer can hold
// is a number all the same: the largest there is, which is what Atoi returns.
func readCount(p api.Param) (int, error) {
	n, err := strconv.Atoi(p.Value)
	if err != nil && !errors.Is(err, strconv.ErrRange) || n < 1 {
		return 0, cohort.Invalid(p.Name, "The value must be a whole number from 1.")
	}
	return n, nil
}

// boolFilter makes a table entry for a filter of type *bool.
func boolFilter[F any](field func(*F) **bool) func(*F, string) error {
	return func(into *F, value string) error {
		var b bool
		switch value {
		case "true", "1":
			b = true
		case "false", "0":
		default:
			return cohort.Invalid("", "The value must be true, false, 1 or 0.")
		}
		*field(into) = &b
		return nil
	}
}
