// Package apiv3 implements the V3 dialect of the BigCommerce REST Management API: the
// catalog, price lists and prices. It also implements Cohort's own operations under
// /cohort, with the same response formats. docs/wire.md gives the source of each
// behaviour.
package apiv3

import (
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

const read, modify = cohort.ScopeProductsRead, cohort.ScopeProducts

// Dialect returns the V3 dialect on a service.
func Dialect(svc *service.Service) *api.Dialect {
	h := &handler{svc: svc}
	return &api.Dialect{
		Prefix:      "/v3",
		Canonical:   unchanged,
		WriteError:  writeError,
		WriteStatus: writeStatus,
		WrongMethod: wrongMethod,
		Routes: slices.Concat(
			h.customerRoutes(),
			h.addressRoutes(),
			h.attributeRoutes(),
			h.attributeValueRoutes(),
			h.formFieldRoutes(),
			h.consentRoutes(),
			h.credentialRoutes(),
			h.customerSettingsRoutes(),
			h.metafieldRoutes(),
			h.segmentRoutes(),
			h.shopperProfileRoutes(),
			h.categoryRoutes(),
			h.categoryTreeRoutes(),
			h.treeCategoryRoutes(),
			h.brandRoutes(),
			h.productRoutes(),
			h.productAssignmentRoutes(),
			h.productPartRoutes(),
			h.productPlaceRoutes(),
			h.variantRoutes(),
			h.optionRoutes(),
			h.catalogSummaryRoutes(),
			h.priceListRoutes(),
			h.priceRecordRoutes(),
			h.assignmentRoutes(),
			h.priceRoutes(),
			h.channelRoutes(),
			h.settingsRoutes(),
			h.hookRoutes(),
		),
	}
}

// Extension returns the operations that Cohort adds to the vendor's API. They have
// paths of their own, so that they cannot collide with the vendor's.
func Extension(svc *service.Service) *api.Dialect {
	h := &handler{svc: svc, followers: &followers{store: map[string]int{}}}
	return &api.Dialect{
		Prefix:      "/cohort",
		Canonical:   unchanged,
		WriteError:  writeError,
		WriteStatus: writeStatus,
		Routes: slices.Concat(h.bulkRoutes(), h.deliveryRoutes(), []api.Route{
			{Operation: "explainPrices", Method: "POST", Path: "/v1/prices/explain", Scope: read, ReadOnly: true, Concurrency: pricesConcurrency, Expensive: true, Handle: h.explainPrices},
			{Operation: "checkAccess", Method: "POST", Path: "/v1/access/check", Scope: read, ReadOnly: true, Expensive: true, Handle: h.checkAccess},
		}, h.eventRoutes(), h.historyRoutes()),
	}
}

type handler struct {
	svc       *service.Service
	followers *followers // only of the extension
}

func unchanged(path string) string { return path }
