package apiv2

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"

	"github.com/shopspring/decimal"
)

// customerWire is a customer in responses. The fields are in the vendor's order.
// Missing texts are empty, never null.
type customerWire struct {
	ID                    int64           `json:"id"`
	Company               string          `json:"company"`
	FirstName             string          `json:"first_name"`
	LastName              string          `json:"last_name"`
	Email                 string          `json:"email"`
	Phone                 string          `json:"phone"`
	FormFields            []formFieldWire `json:"form_fields"` // null if there are none
	DateCreated           string          `json:"date_created"`
	DateModified          string          `json:"date_modified"`
	StoreCredit           string          `json:"store_credit"`
	RegistrationIPAddress string          `json:"registration_ip_address"`
	CustomerGroupID       int64           `json:"customer_group_id"`
	Notes                 string          `json:"notes"`
	TaxExemptCategory     string          `json:"tax_exempt_category"`
	ResetPassOnLogin      bool            `json:"reset_pass_on_login"`
	AcceptsMarketing      bool            `json:"accepts_marketing"`
	Addresses             linkWire        `json:"addresses"`
}

type formFieldWire struct {
	Name  string        `json:"name"`
	Value api.FormValue `json:"value"`
}

// formFieldsToWire returns nil if there are no fields.
func formFieldsToWire(fields []cohort.FormField) (wire []formFieldWire) {
	for _, f := range fields {
		wire = append(wire, formFieldWire{f.Name, api.FormValue(f.Value)})
	}
	return wire
}

// linkWire is a link to a part of a resource.
type linkWire struct {
	URL      string `json:"url"`
	Resource string `json:"resource"`
}

// customerDate formats a date of a customer: "Tue, 13 Nov 2012 21:16:41 +0000".
func customerDate(t time.Time) string { return t.UTC().Format(time.RFC1123Z) }

// customerToWire returns a function that converts customers for the response to
// this request. The links of a customer contain the URL that the request was sent
// to.
func customerToWire(r *api.Request) func(cohort.CustomerDetail) customerWire {
	base := r.BaseURL() + "/v2"
	return func(c cohort.CustomerDetail) customerWire {
		resource := fmt.Sprintf("/customers/%d/addresses", c.ID)
		return customerWire{
			ID:                    c.ID,
			Company:               c.Company,
			FirstName:             c.FirstName,
			LastName:              c.LastName,
			Email:                 c.Email,
			Phone:                 c.Phone,
			FormFields:            formFieldsToWire(c.FormFields),
			DateCreated:           customerDate(c.DateCreated),
			DateModified:          customerDate(c.DateModified),
			StoreCredit:           c.StoreCredit.StringFixed(cohort.AmountScale),
			RegistrationIPAddress: c.RegistrationIPAddress,
			CustomerGroupID:       c.GroupID,
			Notes:                 c.Notes,
			TaxExemptCategory:     c.TaxExemptCategory,
			ResetPassOnLogin:      c.ResetPassOnLogin,
			AcceptsMarketing:      c.AcceptsMarketing,
			Addresses:             linkWire{URL: base + resource, Resource: resource},
		}
	}
}

// customerFields has the fields of a body of a customer.
var customerFields = api.Fields[cohort.CustomerUpdate]{
	"id":                      nil,
	"_authentication":         setAuthentication,
	"company":                 api.Optional(func(u *cohort.CustomerUpdate) **string { return &u.Company }, readText),
	"first_name":              api.Optional(func(u *cohort.CustomerUpdate) **string { return &u.FirstName }, readText),
	"last_name":               api.Optional(func(u *cohort.CustomerUpdate) **string { return &u.LastName }, readText),
	"email":                   api.Optional(func(u *cohort.CustomerUpdate) **string { return &u.Email }, readText),
	"phone":                   api.Optional(func(u *cohort.CustomerUpdate) **string { return &u.Phone }, readText),
	"form_fields":             nil,
	"date_created":            nil,
	"date_modified":           nil,
	"store_credit":            api.Optional(func(u *cohort.CustomerUpdate) **decimal.Decimal { return &u.StoreCredit }, texts.ReadAmount),
	"registration_ip_address": api.Optional(func(u *cohort.CustomerUpdate) **string { return &u.RegistrationIPAddress }, readText),
	"customer_group_id":       api.Optional(func(u *cohort.CustomerUpdate) **int64 { return &u.GroupID }, texts.ReadIDOrNone),
	"notes":                   api.Optional(func(u *cohort.CustomerUpdate) **string { return &u.Notes }, readText),
	"tax_exempt_category":     api.Optional(func(u *cohort.CustomerUpdate) **string { return &u.TaxExemptCategory }, readText),
	"reset_pass_on_login":     api.Optional(func(u *cohort.CustomerUpdate) **bool { return &u.ResetPassOnLogin }, texts.ReadBool),
	"accepts_marketing":       nil,
	"addresses":               nil,
}

// authentication is the field of a body that no response has.
type authentication struct {
	password, confirmation *string
	forceReset             *bool
}

var authenticationFields = api.Fields[authentication]{
	"password":              api.Optional(func(a *authentication) **string { return &a.password }, readText),
	"password_confirmation": api.Optional(func(a *authentication) **string { return &a.confirmation }, readText),
	"force_reset":           api.Optional(func(a *authentication) **bool { return &a.forceReset }, texts.ReadBool),
}

func setAuthentication(u *cohort.CustomerUpdate, v api.Value) error {
	if v.IsNull() {
		return api.ErrNull
	}
	var buf [api.Usual]api.Member
	object, err := readObject(v, buf[:])
	if err != nil {
		return err
	}
	var a authentication
	if err := decodeObject(object, &a, authenticationFields); err != nil {
		return err
	}
	if a.confirmation != nil {
		if a.password == nil {
			return cohort.Invalid("password_confirmation", "There is no password to confirm.")
		}
		if *a.confirmation != *a.password {
			return cohort.Invalid("password_confirmation", "The confirmation is not the same as the password.")
		}
	}
	u.Password = a.password
	if a.forceReset != nil {
		u.ResetPassOnLogin = a.forceReset
	}
	return nil
}

// customerFilters has the filters of the list, the count and the deletion of
// customers.
var customerFilters = filters[cohort.CustomerFilter]{
	"first_name":          api.TextFilter(func(f *cohort.CustomerFilter) **string { return &f.FirstName }),
	"last_name":           api.TextFilter(func(f *cohort.CustomerFilter) **string { return &f.LastName }),
	"company":             api.TextFilter(func(f *cohort.CustomerFilter) **string { return &f.Company }),
	"email":               api.TextFilter(func(f *cohort.CustomerFilter) **string { return &f.Email }),
	"phone":               api.TextFilter(func(f *cohort.CustomerFilter) **string { return &f.Phone }),
	"tax_exempt_category": api.TextFilter(func(f *cohort.CustomerFilter) **string { return &f.TaxExemptCategory }),
	"store_credit": func(f *cohort.CustomerFilter, v string) error {
		credit, err := cohort.ParseAmount(v)
		if err == nil && !credit.Equal(credit.Truncate(cohort.AmountScale)) {
			err = cohort.Invalid("", fmt.Sprintf("The amount must have at most %d decimals.", cohort.AmountScale))
		}
		f.StoreCredit = &credit
		return err
	},
	"customer_group_id": func(f *cohort.CustomerFilter, v string) error {
		id, err := parseFilterID(v, 0)
		f.GroupID = &id
		return err
	},
	"min_id":            func(f *cohort.CustomerFilter, v string) (err error) { f.MinID, err = parseFilterID(v, 0); return err },
	"max_id":            func(f *cohort.CustomerFilter, v string) (err error) { f.MaxID, err = parseFilterID(v, 1); return err },
	"min_date_created":  api.DateFilter(customerCreated, api.FromDate),
	"max_date_created":  api.DateFilter(customerCreated, api.UntilDate),
	"min_date_modified": api.DateFilter(customerModified, api.FromDate),
	"max_date_modified": api.DateFilter(customerModified, api.UntilDate),
}

func customerCreated(f *cohort.CustomerFilter) *cohort.TimeRange  { return &f.DateCreated }
func customerModified(f *cohort.CustomerFilter) *cohort.TimeRange { return &f.DateModified }

func parseFilterID(value string, least int64) (int64, error) {
	id, err := strconv.ParseInt(value, 10, 64)
	if err != nil || id < least {
		return 0, cohort.Invalid("", "The value is not a valid id.")
	}
	return id, nil
}

func (h *handler) listCustomers(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeQuery(r, customerFilters, defaultLimit)
	if err != nil {
		return err
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.CustomerDetail]) error {
		return h.svc.ReadCustomers(ctx, r.Store.Key, filter, p, to)
	}
	return writeList(w, r, page, read, func(c cohort.CustomerDetail) int64 { return c.ID }, customerToWire(r))
}

func (h *handler) countCustomers(w http.ResponseWriter, r *api.Request) error {
	r.IgnoreParams("page", "limit")
	filter, _, err := decodeQuery(r, customerFilters, defaultLimit)
	if err != nil {
		return err
	}
	n, err := h.svc.CountCustomers(r.Context(), r.Store.Key, filter)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, countWire{n})
}

func (h *handler) getCustomer(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("customer_id")
	if err != nil {
		return err
	}
	c, err := h.svc.Customer(r.Context(), r.Store.Key, id)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, customerToWire(r)(c))
}

func (h *handler) createCustomer(w http.ResponseWriter, r *api.Request) error {
	body, err := decodeBody(r, customerFields, "first_name", "last_name", "email")
	if err != nil {
		return err
	}
	c, err := h.svc.CreateCustomer(r.Context(), r.Store.Key, body)
	if err != nil {
		return err
	}
	setLocation(w, r, fmt.Sprintf("/customers/%d", c.ID))
	return api.WriteJSON(w, http.StatusOK, customerToWire(r)(cohort.CustomerDetail{Customer: c})) // a new one has no form fields
}

func (h *handler) updateCustomer(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("customer_id")
	if err != nil {
		return err
	}
	body, err := decodeBody(r, customerFields)
	if err != nil {
		return err
	}
	c, err := h.svc.UpdateCustomer(r.Context(), r.Store.Key, id, body)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, customerToWire(r)(c))
}

func (h *handler) deleteCustomer(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("customer_id")
	if err != nil {
		return err
	}
	if err := h.svc.DeleteCustomer(r.Context(), r.Store.Key, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// deleteCustomers deletes the customers that the filters match, up to the limit. It
// rejects a page, because a page would skip customers that are not deleted.
func (h *handler) deleteCustomers(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeQuery(r, customerFilters, cohort.MaxDeleteCustomers)
	if err != nil {
		return err
	}
	if page.Number != 1 {
		return unsupported("page")
	}
	if err := h.svc.DeleteCustomers(r.Context(), r.Store.Key, filter, page.Size); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

var validateFields = api.Fields[string]{"password": api.Plain(func(s *string) *string { return s }, readText)}

// validatePassword responds with true or false. For an unknown customer it responds
// with false, not 404, so it does not reveal which customers exist.
func (h *handler) validatePassword(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("customer_id")
	if err != nil {
		return err
	}
	attempt, err := decodeBody(r, validateFields, "password")
	if err != nil {
		return err
	}
	ok, err := h.svc.ValidatePassword(r.Context(), r.Store.Key, id, attempt)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, struct {
		Success bool `json:"success"`
	}{ok})
}
