// Package apiv3 implements the V3 dialect of the BigCommerce REST Management API: the
// catalog, price lists and prices. It also implements Cohort's own operations under
// /cohort, with the same response formats. docs/wire.md gives the source of each
// behaviour.
package apiv3

import (
	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

const read, modify = cohort.ScopeProductsRead, cohort.ScopeProducts

// bulkUpsert is the concurrency group of the operations that put many price records:
// a store may run one of these requests at a time. Source: the vendor's reference.
const bulkUpsert = "putPriceRecords"

// Dialect returns the V3 dialect on a service.
func Dialect(svc *service.Service) *api.Dialect {
	h := &handler{svc: svc}
	return &api.Dialect{
		Prefix:     "/v3",
		Canonical:  unchanged,
		WriteError: writeError,
		Routes: []api.Route{
			{Operation: "listCategories", Method: "GET", Path: "/catalog/categories", Scope: read, Handle: h.listCategories},
			{Operation: "createCategory", Method: "POST", Path: "/catalog/categories", Scope: modify, Handle: h.createCategory},
			{Operation: "deleteCategories", Method: "DELETE", Path: "/catalog/categories", Scope: modify, Handle: h.deleteCategories},
			{Operation: "getCategoryTree", Method: "GET", Path: "/catalog/categories/tree", Scope: read, Handle: h.getCategoryTree},
			{Operation: "getCategory", Method: "GET", Path: "/catalog/categories/{category_id}", Scope: read, Handle: h.getCategory},
			{Operation: "updateCategory", Method: "PUT", Path: "/catalog/categories/{category_id}", Scope: modify, Handle: h.updateCategory},
			{Operation: "deleteCategory", Method: "DELETE", Path: "/catalog/categories/{category_id}", Scope: modify, Handle: h.deleteCategory},

			{Operation: "listProducts", Method: "GET", Path: "/catalog/products", Scope: read, Handle: h.listProducts},
			{Operation: "createProduct", Method: "POST", Path: "/catalog/products", Scope: modify, Handle: h.createProduct},
			{Operation: "deleteProducts", Method: "DELETE", Path: "/catalog/products", Scope: modify, Handle: h.deleteProducts},
			{Operation: "getProduct", Method: "GET", Path: "/catalog/products/{product_id}", Scope: read, Handle: h.getProduct},
			{Operation: "updateProduct", Method: "PUT", Path: "/catalog/products/{product_id}", Scope: modify, Handle: h.updateProduct},
			{Operation: "deleteProduct", Method: "DELETE", Path: "/catalog/products/{product_id}", Scope: modify, Handle: h.deleteProduct},

			{Operation: "listVariants", Method: "GET", Path: "/catalog/variants", Scope: read, Handle: h.listVariants},
			{Operation: "listVariantsOfProduct", Method: "GET", Path: "/catalog/products/{product_id}/variants", Scope: read, Handle: h.listVariantsOfProduct},
			{Operation: "createVariant", Method: "POST", Path: "/catalog/products/{product_id}/variants", Scope: modify, Handle: h.createVariant},
			{Operation: "getVariant", Method: "GET", Path: "/catalog/products/{product_id}/variants/{variant_id}", Scope: read, Handle: h.getVariant},
			{Operation: "updateVariant", Method: "PUT", Path: "/catalog/products/{product_id}/variants/{variant_id}", Scope: modify, Handle: h.updateVariant},
			{Operation: "deleteVariant", Method: "DELETE", Path: "/catalog/products/{product_id}/variants/{variant_id}", Scope: modify, Handle: h.deleteVariant},

			{Operation: "listPriceLists", Method: "GET", Path: "/pricelists", Scope: read, Handle: h.listPriceLists},
			{Operation: "createPriceList", Method: "POST", Path: "/pricelists", Scope: modify, Handle: h.createPriceList},
			{Operation: "deletePriceLists", Method: "DELETE", Path: "/pricelists", Scope: modify, Handle: h.deletePriceLists},
			{Operation: "getPriceList", Method: "GET", Path: "/pricelists/{price_list_id}", Scope: read, Handle: h.getPriceList},
			{Operation: "updatePriceList", Method: "PUT", Path: "/pricelists/{price_list_id}", Scope: modify, Handle: h.updatePriceList},
			{Operation: "deletePriceList", Method: "DELETE", Path: "/pricelists/{price_list_id}", Scope: modify, Concurrency: 1, Handle: h.deletePriceList},

			{Operation: "createRecordsOfLists", Method: "POST", Path: "/pricelists/records", Scope: modify, Concurrency: 10, Handle: h.createRecordsOfLists},
			{Operation: "putRecordsOfLists", Method: "PUT", Path: "/pricelists/records", Scope: modify, Concurrency: 1, ConcurrencyGroup: bulkUpsert, Handle: h.putRecordsOfLists},
			{Operation: "listPriceRecords", Method: "GET", Path: "/pricelists/{price_list_id}/records", Scope: read, Concurrency: 10, Handle: h.listPriceRecords},
			{Operation: "createPriceRecords", Method: "POST", Path: "/pricelists/{price_list_id}/records", Scope: modify, Concurrency: 10, Handle: h.createPriceRecords},
			{Operation: "putPriceRecords", Method: "PUT", Path: "/pricelists/{price_list_id}/records", Scope: modify, Concurrency: 1, ConcurrencyGroup: bulkUpsert, Handle: h.putPriceRecords},
			{Operation: "deletePriceRecords", Method: "DELETE", Path: "/pricelists/{price_list_id}/records", Scope: modify, Handle: h.deletePriceRecords},
			{Operation: "listPriceRecordsOfVariant", Method: "GET", Path: "/pricelists/{price_list_id}/records/{variant_id}", Scope: read, Concurrency: 40, Handle: h.listPriceRecordsOfVariant},
			{Operation: "getPriceRecord", Method: "GET", Path: "/pricelists/{price_list_id}/records/{variant_id}/{currency_code}", Scope: read, Concurrency: 50, Handle: h.getPriceRecord},
			{Operation: "setPriceRecord", Method: "PUT", Path: "/pricelists/{price_list_id}/records/{variant_id}/{currency_code}", Scope: modify, Concurrency: 40, Handle: h.setPriceRecord},
			{Operation: "deletePriceRecord", Method: "DELETE", Path: "/pricelists/{price_list_id}/records/{variant_id}/{currency_code}", Scope: modify, Concurrency: 25, Handle: h.deletePriceRecord},

			{Operation: "listAssignments", Method: "GET", Path: "/pricelists/assignments", Scope: read, Handle: h.listAssignments},
			{Operation: "createAssignments", Method: "POST", Path: "/pricelists/assignments", Scope: modify, Handle: h.createAssignments},
			{Operation: "deleteAssignments", Method: "DELETE", Path: "/pricelists/assignments", Scope: modify, Handle: h.deleteAssignments},
			{Operation: "putAssignment", Method: "PUT", Path: "/pricelists/{price_list_id}/assignments", Scope: modify, Concurrency: 25, Handle: h.putAssignment},

			{Operation: "getPrices", Method: "POST", Path: "/pricing/products", Scope: read, ReadOnly: true, Concurrency: pricesConcurrency, Expensive: true, Handle: h.getPrices},
		},
	}
}

// Extension returns the operations that Cohort adds to the vendor's API. They have
// paths of their own, so that they cannot collide with the vendor's.
func Extension(svc *service.Service) *api.Dialect {
	h := &handler{svc: svc}
	return &api.Dialect{
		Prefix:     "/cohort",
		Canonical:  unchanged,
		WriteError: writeError,
		Routes: []api.Route{
			{Operation: "explainPrices", Method: "POST", Path: "/v1/prices/explain", Scope: read, ReadOnly: true, Concurrency: pricesConcurrency, Expensive: true, Handle: h.explainPrices},
			{Operation: "checkAccess", Method: "POST", Path: "/v1/access/check", Scope: read, ReadOnly: true, Expensive: true, Handle: h.checkAccess},
		},
	}
}

type handler struct {
	svc *service.Service
}

func unchanged(path string) string { return path }
