package apiv3

import (
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) credentialRoutes() []api.Route {
	return []api.Route{
		{Operation: "validateCredentials", Method: "POST", Path: "/customers/validate-credentials", Scope: cohort.ScopeCustomers, Handle: h.validateCredentials},
	}
}

// credentials is the body of a check of credentials.
type credentials struct {
	email, password string
	channelID       *int64
}

var credentialFields = api.Fields[credentials]{
	"email":      api.Plain(func(c *credentials) *string { return &c.email }, readShapeText[string]),
	"password":   api.Plain(func(c *credentials) *string { return &c.password }, readShapeText[string]),
	"channel_id": optional(func(c *credentials) **int64 { return &c.channelID }, readShapeInt),
}

// credentialsWire is the response, which has no envelope.
type credentialsWire struct {
	IsValid    bool   `json:"is_valid"`
	CustomerID *int64 `json:"customer_id"`
}

// validateCredentials counts each check for the customer, together with the checks of
// V2, before it computes the hash. It responds in the same way, and after the same time,
// to a wrong password and to an unknown email.
func (h *handler) validateCredentials(w http.ResponseWriter, r *api.Request) error {
	c, err := decodeShape(r, credentialFields, "email", "password")
	if err != nil {
		return err
	}
	channelID := int64(cohort.FirstChannelID)
	if c.channelID != nil {
		channelID = *c.channelID
	}
	login, err := h.svc.FindLogin(r.Context(), r.Store.Key, c.email, channelID)
	if err != nil {
		return err
	}
	if err := r.Count(api.PasswordChecks, login.Subject()); err != nil {
		return err
	}
	id, err := h.svc.CheckLogin(r.Context(), r.Store.Key, login, c.password)
	if err != nil {
		return err
	}
	wire := credentialsWire{IsValid: id != 0}
	if wire.IsValid {
		wire.CustomerID = &id
	}
	return api.WriteJSON(w, http.StatusOK, wire)
}
