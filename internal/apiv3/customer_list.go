package apiv3

import (
	"context"
	"net/http"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// customerQuery is the query of a list of customers.
type customerQuery struct {
	service.CustomerQuery
	include includedCustomerParts
	sort    string // "" for the order by id
}

// includedCustomerParts are the parts in the parameter "include".
type includedCustomerParts struct {
	service.CustomerParts
	storeCredit bool // a column of the customer
}

// maxNameParts is how many texts name:like may have. Every customer is compared with each
// of them.
const maxNameParts = 10

// customerListFilters has the parameters of the list of customers, except those of paging.
var customerListFilters = func() filters[customerQuery] {
	words := func(field func(*cohort.CustomerFilter) *[]string) func(*customerQuery, string) error {
		return wordFilter(func(q *customerQuery) *[]string { return field(&q.CustomerFilter) })
	}
	parts := words(func(f *cohort.CustomerFilter) *[]string { return &f.NameParts })
	table := filters[customerQuery]{
		"id:in":                      idFilter(func(q *customerQuery) *[]int64 { return &q.IDs }),
		"customer_group_id:in":       idFilter(func(q *customerQuery) *[]int64 { return &q.GroupIDs }),
		"company:in":                 words(func(f *cohort.CustomerFilter) *[]string { return &f.Companies }),
		"email:in":                   words(func(f *cohort.CustomerFilter) *[]string { return &f.Emails }),
		"name:in":                    words(func(f *cohort.CustomerFilter) *[]string { return &f.Names }),
		"phone:in":                   words(func(f *cohort.CustomerFilter) *[]string { return &f.Phones }),
		"registration_ip_address:in": words(func(f *cohort.CustomerFilter) *[]string { return &f.RegistrationIPAddresses }),
		"name:like": func(q *customerQuery, value string) error {
			if strings.Count(value, ",") >= maxNameParts {
				return cohort.Invalid("", "The list has too many values.")
			}
			return parts(q, value)
		},
		"include": func(q *customerQuery, value string) error { return q.include.set(value) },
		"sort":    setCustomerOrder,
	}
	dateFilters(table, "date_created", func(q *customerQuery) *cohort.TimeRange { return &q.DateCreated })
	dateFilters(table, "date_modified", func(q *customerQuery) *cohort.TimeRange { return &q.DateModified })
	return table
}()

func setCustomerOrder(q *customerQuery, value string) error {
	by, direction, _ := strings.Cut(value, ":")
	sorts := map[string]cohort.CustomerSort{
		"date_created": cohort.SortByDateCreated, "date_modified": cohort.SortByDateModified, "last_name": cohort.SortByLastName,
	}
	column, known := sorts[by]
	if !known || direction != "asc" && direction != "desc" {
		return cohort.Invalid("", "The value must be date_created, date_modified or last_name, followed by :asc or :desc.")
	}
	q.sort, q.Order = value, cohort.CustomerOrder{By: column, Descending: direction == "desc"}
	return nil
}

// order is the order of the list in its cursors.
func (q customerQuery) order() listOrder {
	switch q.Order.By {
	case cohort.SortByID:
		return orderByID
	case cohort.SortByLastName:
		return orderByText(q.sort)
	}
	return orderByNumbers(q.sort, 2)
}

func (h *handler) listCustomers(w http.ResponseWriter, r *api.Request) error {
	query, page, err := decodeCursorQuery(r, customerListFilters, customerQuery.order)
	if err != nil {
		return err
	}
	query.Parts = query.include.CustomerParts
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.CustomerDetail]) (int64, error) {
		return h.svc.ReadCustomerDetails(ctx, r.Store.Key, query.CustomerQuery, p, to)
	}
	key := func(d cohort.CustomerDetail) string { return query.Order.Key(d.Customer) }
	return writeCursorList(w, r, page, read, query.include.toWire, key)
}
