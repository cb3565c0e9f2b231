package apiv3

import (
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) customerSettingsRoutes() []api.Route {
	const read, modify = cohort.ScopeCustomersRead, cohort.ScopeCustomers
	return []api.Route{
		{Operation: "getCustomerSettings", Method: "GET", Path: "/customers/settings", Scope: read, Handle: h.getCustomerSettings},
		{Operation: "updateCustomerSettings", Method: "PUT", Path: "/customers/settings", Scope: modify, Handle: h.updateCustomerSettings},
		{Operation: "getChannelCustomerSettings", Method: "GET", Path: "/customers/settings/channels/{channel_id}", Scope: read, Handle: h.getChannelSettings},
		{Operation: "updateChannelCustomerSettings", Method: "PUT", Path: "/customers/settings/channels/{channel_id}", Scope: modify, Handle: h.updateChannelSettings},
	}
}

type settingsFields = api.Fields[cohort.CustomerSettingsUpdate]

// The fields of the body of settings. null unsets a setting, or all settings of a part.
var (
	privacyFields = settingsFields{
		"ask_shopper_for_tracking_consent":             setting(func(u *cohort.CustomerSettingsUpdate) *cohort.Setting[bool] { return &u.AskConsent }, readShapeBool),
		"policy_url":                                   setting(func(u *cohort.CustomerSettingsUpdate) *cohort.Setting[string] { return &u.PolicyURL }, readShapeText[string]),
		"ask_shopper_for_tracking_consent_on_checkout": setting(func(u *cohort.CustomerSettingsUpdate) *cohort.Setting[bool] { return &u.AskConsentOnCheckout }, readShapeBool),
	}

	groupSettingsFields = settingsFields{
		"guest_customer_group_id":   setting(func(u *cohort.CustomerSettingsUpdate) *cohort.Setting[int64] { return &u.GuestGroupID }, readShapeInt),
		"default_customer_group_id": setting(func(u *cohort.CustomerSettingsUpdate) *cohort.Setting[int64] { return &u.DefaultGroupID }, readShapeInt),
	}

	storeSettingsFields = settingsFields{
		"privacy_settings":        part(privacyFields),
		"customer_group_settings": part(groupSettingsFields),
	}

	channelSettingsFields = settingsFields{
		"privacy_settings":        part(privacyFields),
		"customer_group_settings": part(groupSettingsFields),
		"allow_global_logins":     setting(func(u *cohort.CustomerSettingsUpdate) *cohort.Setting[bool] { return &u.AllowGlobalLogins }, readShapeBool),
	}
)

// setting returns the function for one setting.
func setting[T any](field func(*cohort.CustomerSettingsUpdate) *cohort.Setting[T], read func(api.Value) (T, error)) func(*cohort.CustomerSettingsUpdate, api.Value) error {
	return func(into *cohort.CustomerSettingsUpdate, v api.Value) error {
		*field(into) = cohort.Setting[T]{Sent: true}
		if v.IsNull() {
			return nil
		}
		value, err := read(v)
		field(into).Value = &value
		return err
	}
}

// part returns the function for an object of settings.
func part(fields settingsFields) func(*cohort.CustomerSettingsUpdate, api.Value) error {
	return func(into *cohort.CustomerSettingsUpdate, v api.Value) error {
		if !v.IsNull() {
			return readShape(v, into, fields)
		}
		for _, set := range fields {
			if err := set(into, v); err != nil {
				return err
			}
		}
		return nil
	}
}

// settingsWire are the settings in responses. null is a setting that a channel does not
// have.
type settingsWire struct {
	Privacy privacyWire       `json:"privacy_settings"`
	Groups  groupSettingsWire `json:"customer_group_settings"`
}

type privacyWire struct {
	AskConsent           *bool   `json:"ask_shopper_for_tracking_consent"`
	PolicyURL            *string `json:"policy_url"`
	AskConsentOnCheckout *bool   `json:"ask_shopper_for_tracking_consent_on_checkout"`
}

type groupSettingsWire struct {
	Guest   *int64 `json:"guest_customer_group_id"`
	Default *int64 `json:"default_customer_group_id"`
}

// channelSettingsWire are the settings of a channel in responses.
type channelSettingsWire struct {
	settingsWire
	AllowGlobalLogins bool `json:"allow_global_logins"`
}

func settingsToWire(s cohort.CustomerSettings) settingsWire {
	return settingsWire{privacyWire{s.AskConsent, s.PolicyURL, s.AskConsentOnCheckout}, groupSettingsWire{s.GuestGroupID, s.DefaultGroupID}}
}

func writeChannelSettings(w http.ResponseWriter, channelID int64, s cohort.CustomerSettings) error {
	return writeSingle(w, channelSettingsWire{settingsToWire(s), s.GlobalLogins(channelID)})
}

// titleSettings is the title of errors about the values of settings.
const titleSettings = "Update customer settings failed."

func (h *handler) getCustomerSettings(w http.ResponseWriter, r *api.Request) error {
	settings, err := h.svc.CustomerSettings(r.Context(), r.Store.Key)
	if err != nil {
		return err
	}
	return writeSingle(w, settingsToWire(settings))
}

func (h *handler) updateCustomerSettings(w http.ResponseWriter, r *api.Request) error {
	update, err := decodeShape(r, storeSettingsFields)
	if err != nil {
		return err
	}
	settings, err := h.svc.UpdateCustomerSettings(r.Context(), r.Store.Key, update)
	if err != nil {
		return withTitle(titleSettings, err)
	}
	return writeSingle(w, settingsToWire(settings))
}

// settingsChannel returns the channel of the path. Channels begin with 1.
func settingsChannel(r *api.Request) (int64, error) {
	id, err := r.ID("channel_id")
	if err == nil && id < 1 {
		return 0, cohort.NotFound("channel_id")
	}
	return id, err
}

func (h *handler) getChannelSettings(w http.ResponseWriter, r *api.Request) error {
	id, err := settingsChannel(r)
	if err != nil {
		return err
	}
	settings, err := h.svc.ChannelSettings(r.Context(), r.Store.Key, id)
	if err != nil {
		return err
	}
	return writeChannelSettings(w, id, settings)
}

func (h *handler) updateChannelSettings(w http.ResponseWriter, r *api.Request) error {
	id, err := settingsChannel(r)
	if err != nil {
		return err
	}
	update, err := decodeShape(r, channelSettingsFields)
	if err != nil {
		return err
	}
	settings, err := h.svc.UpdateChannelSettings(r.Context(), r.Store.Key, id, update)
	if err != nil {
		return withTitle(titleSettings, err)
	}
	return writeChannelSettings(w, id, settings)
}
