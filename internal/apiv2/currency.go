package apiv2

import (
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// storeCurrencyID is the id of a store's own currency, the only one that is listed.
// Cohort keeps no exchange rates, so it has nothing to say about other currencies.
const storeCurrencyID = 1

// currencyWire is a currency in responses. The fields are in the order of recordings.
type currencyWire struct {
	ID                     int64    `json:"id"`
	IsDefault              bool     `json:"is_default"`
	LastUpdated            string   `json:"last_updated"`
	CountryISO2            *string  `json:"country_iso2"`
	DefaultForCountryCodes []string `json:"default_for_country_codes"`
	CurrencyCode           string   `json:"currency_code"`
	CurrencyExchangeRate   string   `json:"currency_exchange_rate"`
	Name                   string   `json:"name"`
	Token                  string   `json:"token"`
	AutoUpdate             bool     `json:"auto_update"`
	TokenLocation          string   `json:"token_location"`
	DecimalToken           string   `json:"decimal_token"`
	ThousandsToken         string   `json:"thousands_token"`
	DecimalPlaces          int32    `json:"decimal_places"`
	Enabled                bool     `json:"enabled"`
	IsTransactional        bool     `json:"is_transactional"`
	UseDefaultName         bool     `json:"use_default_name"`
}

// currencyToWire returns a store's own currency. Its date is that of the store, since
// Cohort does not keep when a currency was changed.
func currencyToWire(s cohort.Store) (currencyWire, error) {
	c, err := cohort.ParseCurrency(s.Currency)
	if err != nil {
		return currencyWire{}, err
	}
	wire := currencyWire{
		ID: storeCurrencyID, IsDefault: true, LastUpdated: customerDate(s.DateCreated), DefaultForCountryCodes: []string{},
		CurrencyCode: c.Code, CurrencyExchangeRate: "1.0000000000", Name: c.Name(), Token: c.Symbol(),
		TokenLocation: symbolLocation, DecimalToken: decimalSeparator, ThousandsToken: thousandsSeparator, DecimalPlaces: c.Decimals,
		Enabled: true, IsTransactional: true,
	}
	if country := c.Country(); country != "" {
		wire.CountryISO2 = &country
		wire.DefaultForCountryCodes = append(wire.DefaultForCountryCodes, country)
	}
	return wire, nil
}

func (h *handler) currency(r *api.Request) (currencyWire, error) {
	store, err := h.svc.StoreByKey(r.Context(), r.Store.Key)
	if err != nil {
		return currencyWire{}, err
	}
	return currencyToWire(store)
}

func (h *handler) listCurrencies(w http.ResponseWriter, r *api.Request) error {
	_, page, err := decodeQuery(r, filters[struct{}]{}, defaultLimit)
	if err != nil {
		return err
	}
	if page.Number > 1 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	c, err := h.currency(r)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, []currencyWire{c})
}

func (h *handler) getCurrency(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("id")
	if err != nil {
		return err
	}
	if id != storeCurrencyID {
		return cohort.NotFound("currency")
	}
	c, err := h.currency(r)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, c)
}
