package apiv3

import (
	"net/http"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) consentRoutes() []api.Route {
	const path = "/customers/{customer_id}/consent"
	return []api.Route{
		{Operation: "getConsent", Method: "GET", Path: path, Scope: cohort.ScopeCustomersRead, Handle: h.getConsent},
		{Operation: "updateConsent", Method: "PUT", Path: path, Scope: cohort.ScopeCustomers, Handle: h.updateConsent},
	}
}

var consentFields = api.Fields[cohort.Consent]{
	"allow":      api.Plain(func(c *cohort.Consent) *[]cohort.ConsentCategory { return &c.Allow }, readConsentCategories),
	"deny":       api.Plain(func(c *cohort.Consent) *[]cohort.ConsentCategory { return &c.Deny }, readConsentCategories),
	"updated_at": nil,
}

func readConsentCategories(v api.Value) ([]cohort.ConsentCategory, error) {
	values, err := readShapeArray(v, cohort.MaxConsentCategories)
	if err != nil {
		return nil, err
	}
	list := make([]cohort.ConsentCategory, len(values))
	for i, element := range values {
		if list[i], err = readShapeText[cohort.ConsentCategory](element); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// consentWire is a consent in responses, which have it without "data" around it. The
// vendor's reference says that UpdatedAt is the time of the call, for GET too.
type consentWire struct {
	Allow     []cohort.ConsentCategory `json:"allow"`
	Deny      []cohort.ConsentCategory `json:"deny"`
	UpdatedAt string                   `json:"updated_at"`
}

func writeConsent(w http.ResponseWriter, c cohort.Consent, now time.Time) error {
	list := func(categories []cohort.ConsentCategory) []cohort.ConsentCategory {
		return append([]cohort.ConsentCategory{}, categories...) // not null
	}
	return api.WriteJSON(w, http.StatusOK, consentWire{list(c.Allow), list(c.Deny), dateText(now)})
}

func (h *handler) getConsent(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("customer_id")
	if err != nil {
		return err
	}
	c, now, err := h.svc.Consent(r.Context(), r.Store.Key, id)
	if err != nil {
		return err
	}
	return writeConsent(w, c, now)
}

func (h *handler) updateConsent(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("customer_id")
	if err != nil {
		return err
	}
	c, err := decodeShape(r, consentFields, "allow", "deny")
	if err != nil {
		return err
	}
	now, err := h.svc.SetConsent(r.Context(), r.Store.Key, id, c)
	if err != nil {
		return withTitle("Update customer consent failed.", err)
	}
	return writeConsent(w, c, now)
}
