package apiv3

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) settingsRoutes() []api.Route {
	const read, modify = cohort.ScopeInformationRead, cohort.ScopeInformation
	return []api.Route{
		{Operation: "getStoreProfile", Method: "GET", Path: "/settings/store/profile", Scope: read, Handle: h.getStoreProfile},
		{Operation: "updateStoreProfile", Method: "PUT", Path: "/settings/store/profile", Scope: modify, Handle: h.updateStoreProfile},
		{Operation: "getStoreLocale", Method: "GET", Path: "/settings/store/locale", Scope: read, Handle: h.getStoreLocale},
		{Operation: "updateStoreLocale", Method: "PUT", Path: "/settings/store/locale", Scope: modify, Handle: h.updateStoreLocale},
	}
}

type profileUpdate = cohort.StoreProfileUpdate

// storeProfileFields has the fields of a body of the profile.
var storeProfileFields = api.Fields[profileUpdate]{
	"store_address":      api.Optional(func(u *profileUpdate) **string { return &u.Address }, readText),
	"store_address_type": api.Optional(func(u *profileUpdate) **cohort.StoreAddressType { return &u.AddressType }, readFilled),
	"store_email":        api.Optional(func(u *profileUpdate) **string { return &u.Email }, readFilled),
	"store_name":         api.Optional(func(u *profileUpdate) **string { return &u.Name }, readFilled),
	"store_phone":        api.Optional(func(u *profileUpdate) **string { return &u.Phone }, readText),
}

// storeLocaleFields has the fields of a body of the locale.
var storeLocaleFields = api.Fields[profileUpdate]{
	"default_shopper_language":          api.Optional(func(u *profileUpdate) **string { return &u.Language }, readFilled),
	"shopper_language_selection_method": api.Optional(func(u *profileUpdate) **cohort.LanguageSelection { return &u.LanguageSelection }, readFilled),
	"store_country":                     api.Optional(func(u *profileUpdate) **string { return &u.Country }, readFilled),
}

// settingNames are the wire names of the fields of a profile.
var settingNames = map[string]string{
	"address": "store_address", "address_type": "store_address_type", "email": "store_email", "name": "store_name", "phone": "store_phone",
	"language": "default_shopper_language", "language_selection": "shopper_language_selection_method", "country": "store_country",
}

// readFilled reads a text that is not empty: an empty one would restore the default.
func readFilled[S ~string](v api.Value) (S, error) {
	s, err := readText[S](v)
	if err == nil && strings.TrimSpace(string(s)) == "" {
		err = cohort.Invalid("", "The value must not be empty.")
	}
	return s, err
}

// storeProfileWire is a profile in responses. The fields are in the order of the
// vendor's schema. null stands for a setting that a channel does not override.
type storeProfileWire struct {
	Address     *string                  `json:"store_address"`
	AddressType *cohort.StoreAddressType `json:"store_address_type"`
	Email       *string                  `json:"store_email"`
	Name        *string                  `json:"store_name"`
	Phone       *string                  `json:"store_phone"`
}

func storeProfileToWire(s cohort.Store) storeProfileWire {
	p := s.FullProfile()
	return storeProfileWire{&p.Address, &p.AddressType, &p.Email, &p.Name, &p.Phone}
}

// storeLocaleWire is a locale in responses, in the order of the vendor's examples.
type storeLocaleWire struct {
	Language  string                   `json:"default_shopper_language"`
	Selection cohort.LanguageSelection `json:"shopper_language_selection_method"`
	Country   string                   `json:"store_country"`
}

func storeLocaleToWire(s cohort.Store) storeLocaleWire {
	p := s.FullProfile()
	return storeLocaleWire{p.Language, p.LanguageSelection, p.Country}
}

func (h *handler) getStoreProfile(w http.ResponseWriter, r *api.Request) error {
	ofChannel, err := isOfChannel(r)
	if err != nil {
		return err
	}
	if ofChannel {
		return writeSingle(w, storeProfileWire{})
	}
	store, err := h.svc.StoreByKey(r.Context(), r.Store.Key)
	if err != nil {
		return err
	}
	return writeSingle(w, storeProfileToWire(store))
}

func (h *handler) updateStoreProfile(w http.ResponseWriter, r *api.Request) error {
	ofChannel, err := isOfChannel(r)
	if err != nil {
		return err
	}
	if ofChannel {
		if _, err := decodeBody(r, noOverrides); err != nil {
			return err
		}
		return writeSingle(w, storeProfileWire{})
	}
	update, err := decodeBody(r, storeProfileFields)
	if err != nil {
		return err
	}
	store, err := h.updateProfile(r, update)
	if err != nil {
		return err
	}
	return writeSingle(w, storeProfileToWire(store))
}

func (h *handler) getStoreLocale(w http.ResponseWriter, r *api.Request) error {
	store, err := h.svc.StoreByKey(r.Context(), r.Store.Key)
	if err != nil {
		return err
	}
	return writeSingle(w, storeLocaleToWire(store))
}

func (h *handler) updateStoreLocale(w http.ResponseWriter, r *api.Request) error {
	update, err := decodeBody(r, storeLocaleFields, "default_shopper_language")
	if err != nil {
		return err
	}
	store, err := h.updateProfile(r, update)
	if err != nil {
		return err
	}
	return writeSingle(w, storeLocaleToWire(store))
}

// updateProfile changes the profile of a request's store. Its errors have the wire names
// of the fields.
func (h *handler) updateProfile(r *api.Request, u profileUpdate) (cohort.Store, error) {
	store, err := h.svc.UpdateStore(r.Context(), r.Store.Key, cohort.StoreUpdate{Profile: u})
	if e, ok := errors.AsType[*cohort.Error](err); ok && settingNames[e.Field] != "" {
		renamed := *e
		renamed.Field = settingNames[e.Field]
		return store, &renamed
	}
	return store, err
}

// isOfChannel reports whether a request is about the settings of one channel. Other
// parameters are ignored.
func isOfChannel(r *api.Request) (ofChannel bool, err error) {
	params, err := r.ParseQuery()
	if err != nil {
		return false, err
	}
	for _, p := range params {
		if p.Name != "channel_id" {
			r.Unread.IgnoreParam(p.Name)
			continue
		}
		if id, err := strconv.ParseInt(p.Value, 10, 64); err != nil || id < 1 {
			return false, cohort.Invalid("channel_id", "The value must be the id of a channel.")
		}
		ofChannel = true
	}
	return ofChannel, nil
}

// noOverrides has the fields of a body of a channel's profile. Cohort keeps no settings
// of single channels, so a client can only remove them, which changes nothing.
var noOverrides = func() api.Fields[struct{}] {
	fields := api.Fields[struct{}]{}
	for name := range storeProfileFields {
		fields[name] = func(_ *struct{}, v api.Value) error {
			if !v.IsNull() {
				return cohort.Invalid("", "A channel has the settings of the store; the value must be null.")
			}
			return nil
		}
	}
	return fields
}()
