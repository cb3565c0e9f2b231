package apiv2

import (
	"net/http"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/country"
)

func (h *handler) storeRoutes() []api.Route {
	const read = cohort.ScopeInformationRead
	return []api.Route{
		{Operation: "getStore", Method: "GET", Path: "/store", Scope: read, Handle: h.getStore},
		{Operation: "listCurrencies", Method: "GET", Path: "/currencies", Scope: read, Handle: h.listCurrencies},
		{Operation: "getCurrency", Method: "GET", Path: "/currencies/{id}", Scope: read, Handle: h.getCurrency},
	}
}

// storeWire is a store in responses. The fields are in the vendor's order. docs/wire-store.md
// says which of them Cohort keeps; the others are the same for every store.
type storeWire struct {
	ID                      string        `json:"id"`
	AccountUUID             string        `json:"account_uuid"`
	Domain                  string        `json:"domain"`
	SecureURL               string        `json:"secure_url"`
	ControlPanelBaseURL     string        `json:"control_panel_base_url"`
	Status                  string        `json:"status"`
	Name                    string        `json:"name"`
	FirstName               string        `json:"first_name"`
	LastName                string        `json:"last_name"`
	Address                 string        `json:"address"`
	Country                 string        `json:"country"`
	CountryCode             string        `json:"country_code"`
	InfrastructureRegion    string        `json:"infrastructure_region"`
	Phone                   string        `json:"phone"`
	AdminEmail              string        `json:"admin_email"`
	OrderEmail              string        `json:"order_email"`
	FaviconURL              string        `json:"favicon_url"`
	Timezone                timezoneWire  `json:"timezone"`
	Language                string        `json:"language"`
	Currency                string        `json:"currency"`
	CurrencySymbol          string        `json:"currency_symbol"`
	DecimalSeparator        string        `json:"decimal_separator"`
	ThousandsSeparator      string        `json:"thousands_separator"`
	DecimalPlaces           int32         `json:"decimal_places"`
	CurrencySymbolLocation  string        `json:"currency_symbol_location"`
	WeightUnits             string        `json:"weight_units"`
	DimensionUnits          string        `json:"dimension_units"`
	DimensionDecimalPlaces  int           `json:"dimension_decimal_places"`
	DimensionDecimalToken   string        `json:"dimension_decimal_token"`
	DimensionThousandsToken string        `json:"dimension_thousands_token"`
	PlanName                string        `json:"plan_name"`
	PlanLevel               string        `json:"plan_level"`
	PlanIsTrial             bool          `json:"plan_is_trial"`
	Industry                string        `json:"industry"`
	Logo                    [0]struct{}   `json:"logo"` // an object with a URL, or this empty array
	IsPriceEnteredWithTax   bool          `json:"is_price_entered_with_tax"`
	StoreID                 int64         `json:"store_id"`
	DefaultChannelID        int64         `json:"default_channel_id"`
	DefaultSiteID           int64         `json:"default_site_id"`
	ActiveComparisonModules [0]struct{}   `json:"active_comparison_modules"`
	Features                storeFeatures `json:"features"`
}

type timezoneWire struct {
	Name          string     `json:"name"`
	RawOffset     int        `json:"raw_offset"`
	DSTOffset     int        `json:"dst_offset"`
	DSTCorrection bool       `json:"dst_correction"`
	DateFormat    dateFormat `json:"date_format"`
}

type dateFormat struct {
	Display         string `json:"display"`
	Export          string `json:"export"`
	ExtendedDisplay string `json:"extended_display"`
}

type storeFeatures struct {
	Stencil                bool             `json:"stencil_enabled"`
	SitewideHTTPS          bool             `json:"sitewidehttps_enabled"`
	FacebookCatalogID      string           `json:"facebook_catalog_id"`
	CheckoutType           string           `json:"checkout_type"`
	Wishlists              bool             `json:"wishlists_enabled"`
	GraphQLStorefrontAPI   bool             `json:"graphql_storefront_api_enabled"`
	ShopperConsentTracking bool             `json:"shopper_consent_tracking_enabled"`
	MultiStorefront        bool             `json:"multi_storefront_enabled"`
	StorefrontLimits       storefrontLimits `json:"storefront_limits"`
}

type storefrontLimits struct {
	Active                 int64 `json:"active"`
	TotalIncludingInactive int64 `json:"total_including_inactive"`
}

// planNames are the vendor's names of the plans. It has none for a store without a
// quota, so this one has the name of the plan that allows most.
var planNames = map[cohort.Plan]string{
	cohort.PlanUnlimited: "Enterprise", cohort.PlanStandard: "Standard", cohort.PlanPlus: "Plus",
	cohort.PlanPro: "Pro", cohort.PlanEnterprise: "Enterprise",
}

// The separators of amounts, in every currency, and the place of the symbol.
const (
	decimalSeparator   = "."
	thousandsSeparator = ","
	symbolLocation     = "left"
)

func storeToWire(s cohort.Store, storefronts cohort.Storefronts, now time.Time) (storeWire, error) {
	p := s.FullProfile()
	zone, err := p.Offsets(now)
	if err != nil {
		return storeWire{}, err
	}
	currency, err := cohort.ParseCurrency(s.Currency)
	if err != nil {
		return storeWire{}, err
	}
	land, _ := country.Lookup(p.Country) // without a code if an older version does not know the country
	return storeWire{
		ID: s.Hash, AccountUUID: s.AccountUUID(), Domain: p.Domain, SecureURL: "https://" + p.Domain,
		ControlPanelBaseURL: "https://" + s.DefaultDomain(), Status: "live", Name: p.Name,
		FirstName: p.FirstName, LastName: p.LastName, Address: p.Address, Country: p.Country, CountryCode: land.ISO2,
		InfrastructureRegion: "us-central1", Phone: p.Phone, AdminEmail: p.Email, OrderEmail: p.Email,
		Timezone: timezoneWire{
			Name: p.Timezone, RawOffset: zone.Standard, DSTOffset: zone.Summer, DSTCorrection: zone.ClocksChange(),
			DateFormat: dateFormat{Display: "M jS Y", Export: "M jS Y", ExtendedDisplay: "M jS Y @ g:i A"},
		},
		Language: p.Language, Currency: currency.Code, CurrencySymbol: currency.Symbol(), DecimalSeparator: decimalSeparator,
		ThousandsSeparator: thousandsSeparator, DecimalPlaces: currency.Decimals, CurrencySymbolLocation: symbolLocation,
		WeightUnits: "Ounces", DimensionUnits: "Inches", DimensionDecimalPlaces: 2, DimensionDecimalToken: ".", DimensionThousandsToken: ",",
		PlanName: planNames[s.Plan], PlanLevel: planNames[s.Plan], StoreID: s.Number(),
		DefaultChannelID: 1, DefaultSiteID: 1000,
		Features: storeFeatures{
			Stencil: true, SitewideHTTPS: true, CheckoutType: "optimized", MultiStorefront: true,
			// At least 1, as in the vendor's schema, also if no storefront is active.
			StorefrontLimits: storefrontLimits{Active: max(1, storefronts.Active), TotalIncludingInactive: max(1, storefronts.Total)},
		},
	}, nil
}

// getStore reads the store from the database, not from the cache of tokens, so that a
// change on another node is visible at once.
func (h *handler) getStore(w http.ResponseWriter, r *api.Request) error {
	store, storefronts, err := h.svc.StoreWithStorefronts(r.Context(), r.Store.Key)
	if err != nil {
		return err
	}
	wire, err := storeToWire(store, storefronts, h.svc.Now(store.Key))
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, wire)
}
