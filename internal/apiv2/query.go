package apiv2

import (
	"errors"
	"fmt"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// The default and the maximum size of a page. Source: the vendor's reference.
const (
	defaultLimit = 50
	maxLimit     = 250
)

// filters has the filters of a list. Each function reads the value of one parameter
// into an F.
type filters[F any] map[string]func(into *F, value string) error

// decodeQuery reads the parameters of a list or of a count. A count accepts the
// parameters of the list and ignores the page. size is the size of the page without
// a limit parameter.
func decodeQuery[F any](r *api.Request, table filters[F], size int) (filter F, page cohort.Page, err error) {
	page = cohort.Page{Number: 1, Size: size}
	params, err := r.ParseQuery()
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

// readCount reads a page number or a page size. A number that does not fit into an
// int is valid and means the largest int, which Atoi returns with ErrRange.
func readCount(p api.Param) (int, error) {
	n, err := strconv.Atoi(p.Value)
	if err != nil && !errors.Is(err, strconv.ErrRange) || n < 1 {
		return 0, cohort.Invalid(p.Name, "The value must be a whole number from 1.")
	}
	return n, nil
}

// boolFilter returns the entry for a filter of type *bool.
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
