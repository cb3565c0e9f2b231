// Package apiv2 implements the V2 dialect of the BigCommerce REST Management API.
// docs/wire.md gives the source of each behaviour.
package apiv2

import (
	"net/http"
	"slices"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// groupsConcurrency is how many requests of one store may run together on each
// operation with this limit. Source: the vendor's reference.
const groupsConcurrency = 40

// Dialect returns the V2 dialect on a service.
func Dialect(svc *service.Service) *api.Dialect {
	h := &handler{svc: svc, responses: newResponseCache(svc)}
	const read, modify = cohort.ScopeCustomersRead, cohort.ScopeCustomers
	return &api.Dialect{
		Prefix:      "/v2",
		Run:         h.responses.kept.run,
		Canonical:   canonical,
		WriteError:  writeError,
		WriteStatus: writeStatus,
		Routes: slices.Concat(h.storeRoutes(), []api.Route{
			{Operation: "getTime", Method: "GET", Path: "/time", Handle: h.getTime},

			{Operation: "listGroups", Method: "GET", Path: "/customer_groups", Scope: read, Concurrency: groupsConcurrency, Handle: h.listGroups},
			{Operation: "createGroup", Method: "POST", Path: "/customer_groups", Scope: modify, Concurrency: groupsConcurrency, Handle: h.createGroup},
			{Operation: "countGroups", Method: "GET", Path: "/customer_groups/count", Scope: read, Handle: h.countGroups},
			{Operation: "getGroup", Method: "GET", Path: "/customer_groups/{id}", Scope: read, Handle: h.getGroup},
			{Operation: "updateGroup", Method: "PUT", Path: "/customer_groups/{id}", Scope: modify, Handle: h.updateGroup},
			{Operation: "deleteGroup", Method: "DELETE", Path: "/customer_groups/{id}", Scope: modify, Concurrency: groupsConcurrency, Handle: h.deleteGroup},

			{Operation: "listCustomers", Method: "GET", Path: "/customers", Scope: read, Handle: h.listCustomers},
			{Operation: "createCustomer", Method: "POST", Path: "/customers", Scope: modify, Handle: h.createCustomer},
			{Operation: "deleteCustomers", Method: "DELETE", Path: "/customers", Scope: modify, Handle: h.deleteCustomers},
			{Operation: "countCustomers", Method: "GET", Path: "/customers/count", Scope: read, Handle: h.countCustomers},
			{Operation: "getCustomer", Method: "GET", Path: "/customers/{customer_id}", Scope: read, Handle: h.getCustomer},
			{Operation: "updateCustomer", Method: "PUT", Path: "/customers/{customer_id}", Scope: modify, Handle: h.updateCustomer},
			{Operation: "deleteCustomer", Method: "DELETE", Path: "/customers/{customer_id}", Scope: modify, Handle: h.deleteCustomer},
			{Operation: api.PasswordChecks.Operation, Method: "POST", Path: "/customers/{customer_id}/validate", Scope: modify, PerMinute: api.PasswordChecks.Rate, Handle: h.validatePassword},

			{Operation: "listAddresses", Method: "GET", Path: "/customers/{customer_id}/addresses", Scope: read, Handle: h.listAddresses},
			{Operation: "createAddress", Method: "POST", Path: "/customers/{customer_id}/addresses", Scope: modify, Handle: h.createAddress},
			{Operation: "deleteAddresses", Method: "DELETE", Path: "/customers/{customer_id}/addresses", Scope: modify, Handle: h.deleteAddresses},
			{Operation: "countAddresses", Method: "GET", Path: "/customers/{customer_id}/addresses/count", Scope: read, Handle: h.countAddresses},
			{Operation: "getAddress", Method: "GET", Path: "/customers/{customer_id}/addresses/{id}", Scope: read, Handle: h.getAddress},
			{Operation: "updateAddress", Method: "PUT", Path: "/customers/{customer_id}/addresses/{id}", Scope: modify, Handle: h.updateAddress},
			{Operation: "deleteAddress", Method: "DELETE", Path: "/customers/{customer_id}/addresses/{id}", Scope: modify, Handle: h.deleteAddress},
			{Operation: "getAddressOfAny", Method: "GET", Path: "/customers/addresses/{id}", Scope: read, Handle: h.getAddress},
		}),
	}
}

type handler struct {
	svc       *service.Service
	responses *responseCache
}

// canonical maps the older name of the groups, and paths with the suffix ".json",
// to the path of the route.
func canonical(path string) string {
	path = strings.TrimSuffix(path, ".json")
	if rest, ok := strings.CutPrefix(path, "/customergroups"); ok && (rest == "" || rest[0] == '/') {
		return "/customer_groups" + rest
	}
	return path
}

// getTime sends the store's time. Clients call it to check whether their token
// works.
func (h *handler) getTime(w http.ResponseWriter, r *api.Request) error {
	return api.WriteJSON(w, http.StatusOK, struct {
		Time int64 `json:"time"`
	}{h.svc.Now(r.Store.Key).Unix()})
}
