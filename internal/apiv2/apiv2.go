// Package apiv2 speaks the V2 dialect of the BigCommerce REST Management API.
// docs/wire.md says where each behaviour is known from.
package apiv2

import (
	"net/http"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// groupsConcurrency is how many requests a store may have under way together on
// each operation that has this limit. Source: the vendor's reference.
const groupsConcurrency = 40

// validations is how many passwords may be tried per minute: of one customer,
// so that nobody guesses on, and in a store, because each takes a core for
// tens of milliseconds. That there is a limit is the vendor's word; the figures
// are ours.
var validations = api.Rate{PerPath: 10, PerStore: 300}

// Dialect returns the V2 dialect on a service.
func Dialect(svc *service.Service) *api.Dialect {
	h := &handler{svc: svc, answers: newAnswers(svc), now: time.Now}
	const read, modify = cohort.ScopeCustomersRead, cohort.ScopeCustomers
	return &api.Dialect{
		Prefix:     "/v2",
		Canonical:  canonical,
		WriteError: writeError,
		Routes: []api.Route{
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
			{Operation: "validatePassword", Method: "POST", Path: "/customers/{customer_id}/validate", Scope: modify, PerMinute: validations, Handle: h.validatePassword},

			{Operation: "listAddresses", Method: "GET", Path: "/customers/{customer_id}/addresses", Scope: read, Handle: h.listAddresses},
			{Operation: "createAddress", Method: "POST", Path: "/customers/{customer_id}/addresses", Scope: modify, Handle: h.createAddress},
			{Operation: "deleteAddresses", Method: "DELETE", Path: "/customers/{customer_id}/addresses", Scope: modify, Handle: h.deleteAddresses},
			{Operation: "countAddresses", Method: "GET", Path: "/customers/{customer_id}/addresses/count", Scope: read, Handle: h.countAddresses},
			{Operation: "getAddress", Method: "GET", Path: "/customers/{customer_id}/addresses/{id}", Scope: read, Handle: h.getAddress},
			{Operation: "updateAddress", Method: "PUT", Path: "/customers/{customer_id}/addresses/{id}", Scope: modify, Handle: h.updateAddress},
			{Operation: "deleteAddress", Method: "DELETE", Path: "/customers/{customer_id}/addresses/{id}", Scope: modify, Handle: h.deleteAddress},
			{Operation: "getAddressOfAny", Method: "GET", Path: "/customers/addresses/{id}", Scope: read, Handle: h.getAddress},
		},
	}
}

type handler struct {
	svc     *service.Service
	answers *answers
	now     func() time.Time
}

// canonical accepts the older name of a resource and ".json" at the end.
func canonical(path string) string {
	path = strings.TrimSuffix(path, ".json")
	if rest, ok := strings.CutPrefix(path, "/customergroups"); ok && (rest == "" || rest[0] == '/') {
		return "/customer_groups" + rest
	}
	return path
}

// getTime answers with the server's clock. Clients call it to learn whether
// their token works.
func (h *handler) getTime(w http.ResponseWriter, _ *api.Request) error {
	return api.WriteJSON(w, http.StatusOK, struct {
		Time int64 `json:"time"`
	}{h.now().Unix()})
}
