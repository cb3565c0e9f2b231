package apiv3

import (
	"net/http"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// summariesConcurrency is how many summaries of one store are computed at once. Each
// reads the whole catalog.
const summariesConcurrency = 10

func (h *handler) catalogSummaryRoutes() []api.Route {
	return []api.Route{
		{Operation: "getCatalogSummary", Method: "GET", Path: "/catalog/summary", Scope: read, Concurrency: summariesConcurrency, Expensive: true, Handle: h.getCatalogSummary},
	}
}

// catalogSummaryWire is a summary in responses. The fields are in the order of the
// vendor's list. The lowest price is a string, as in the vendor's schema.
type catalogSummaryWire struct {
	InventoryCount      int     `json:"inventory_count"`
	VariantCount        int64   `json:"variant_count"`
	InventoryValue      int     `json:"inventory_value"`
	HighestVariantPrice amount  `json:"highest_variant_price"`
	AverageVariantPrice amount  `json:"average_variant_price"`
	LowestVariantPrice  string  `json:"lowest_variant_price"`
	OldestVariantDate   *string `json:"oldest_variant_date"`
	NewestVariantDate   *string `json:"newest_variant_date"`
	PrimaryCategoryID   int64   `json:"primary_category_id"`
	PrimaryCategoryName string  `json:"primary_category_name"`
}

func catalogSummaryToWire(s cohort.CatalogSummary) catalogSummaryWire {
	return catalogSummaryWire{
		VariantCount: s.Variants, HighestVariantPrice: amount(s.HighestPrice), AverageVariantPrice: amount(s.AvgPrice),
		LowestVariantPrice: s.LowestPrice.String(), OldestVariantDate: summaryDate(s.Oldest), NewestVariantDate: summaryDate(s.Newest),
		PrimaryCategoryID: s.PrimaryCategory.ID, PrimaryCategoryName: s.PrimaryCategory.Name,
	}
}

// summaryDate formats a date with the offset that this operation of the vendor writes,
// or returns nil for no date.
func summaryDate(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format("2006-01-02T15:04:05-07:00")
	return &text
}

func (h *handler) getCatalogSummary(w http.ResponseWriter, r *api.Request) error {
	summary, err := h.svc.CatalogSummary(r.Context(), r.Store.Key)
	if err != nil {
		return err
	}
	return writeSingle(w, catalogSummaryToWire(summary))
}
