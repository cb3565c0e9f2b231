package cohort_test

import (
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
)

func TestStoreDefaults(t *testing.T) {
	for _, tt := range []struct{ given, want cohort.Store }{
		{cohort.Store{}, cohort.Store{Plan: cohort.PlanUnlimited, Catalog: cohort.CatalogExternal, Currency: "USD"}},
		{
			cohort.Store{Hash: "abc", Plan: cohort.PlanPro, Quota: 7, Catalog: cohort.CatalogManaged, Currency: "jpy"},
			cohort.Store{Hash: "abc", Plan: cohort.PlanPro, Quota: 7, Catalog: cohort.CatalogManaged, Currency: "JPY"},
		},
		{
			cohort.Store{Quota: 7},
			cohort.Store{Plan: cohort.PlanEnterprise, Quota: 7, Catalog: cohort.CatalogExternal, Currency: "USD"},
		},
	} {
		if diff := cmp.Diff(tt.want, tt.given.WithDefaults()); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.given, diff)
		}
		if diff := cmp.Diff(tt.want, tt.want.WithDefaults()); diff != "" {
			t.Errorf("applied twice (-want +got):\n%s", diff)
		}
	}
}

func TestStoreCatalogAndCurrency(t *testing.T) {
	for _, tt := range []struct {
		catalog  cohort.CatalogMode
		currency string
		field    string // the invalid one; "": valid
	}{
		{"", "", ""},
		{"external", "USD", ""},
		{"managed", "kwd", ""},
		{"Managed", "USD", "catalog"},
		{"both", "USD", "catalog"},
		{"managed", "US", "currency"},
		{"managed", "USDX", "currency"},
		{"managed", "XXX", "currency"},
		{"managed", "XAU", "currency"},
		{"managed", " USD", "currency"},
		{"both", "XXX", "catalog"},
	} {
		err := cohort.Store{Hash: "abc", Plan: cohort.PlanUnlimited, Catalog: tt.catalog, Currency: tt.currency}.Validate()
		if tt.field == "" {
			if err != nil {
				t.Errorf("%q, %q: %v", tt.catalog, tt.currency, err)
			}
			continue
		}
		wantInvalid(t, err, tt.field)
	}
}

func TestStoreUpdateOfCatalogAndCurrency(t *testing.T) {
	before := cohort.Store{Hash: "abc", Plan: cohort.PlanPro, Quota: 7, Catalog: cohort.CatalogExternal, Currency: "USD"}
	managed, euro := cohort.CatalogManaged, "eur"
	after := before
	if got := (cohort.StoreUpdate{}).Apply(before); got != before {
		t.Errorf("an empty update changed the store to %+v", got)
	}
	after.Catalog = cohort.CatalogManaged
	if got := (cohort.StoreUpdate{Catalog: &managed}).Apply(before); got != after {
		t.Errorf("got %+v, want %+v", got, after)
	}
	after.Currency = "EUR"
	if got := (cohort.StoreUpdate{Catalog: &managed, Currency: &euro}).Apply(before); got != after {
		t.Errorf("got %+v, want %+v", got, after)
	}
}
