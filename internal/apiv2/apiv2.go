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

// groupsAtOnce is how many requests a store may have under way together on
// each operation that has this limit. Source: the vendor's reference.
const groupsAtOnce = 40

// Dialect returns the V2 dialect on a service.
func Dialect(svc *service.Service) *api.Dialect {
	h := &handler{svc: svc, now: time.Now}
	const read, modify = cohort.ScopeCustomersRead, cohort.ScopeCustomers
	return &api.Dialect{
		Prefix:     "/v2",
		Canonical:  canonical,
		WriteError: writeError,
		Routes: []api.Route{
			{Operation: "getTime", Method: "GET", Path: "/time", Handle: h.getTime},

			{Operation: "listGroups", Method: "GET", Path: "/customer_groups", Scope: read, AtOnce: groupsAtOnce, Handle: h.listGroups},
			{Operation: "createGroup", Method: "POST", Path: "/customer_groups", Scope: modify, AtOnce: groupsAtOnce, Handle: h.createGroup},
			{Operation: "countGroups", Method: "GET", Path: "/customer_groups/count", Scope: read, Handle: h.countGroups},
			{Operation: "getGroup", Method: "GET", Path: "/customer_groups/{id}", Scope: read, Handle: h.getGroup},
			{Operation: "updateGroup", Method: "PUT", Path: "/customer_groups/{id}", Scope: modify, Handle: h.updateGroup},
			{Operation: "deleteGroup", Method: "DELETE", Path: "/customer_groups/{id}", Scope: modify, AtOnce: groupsAtOnce, Handle: h.deleteGroup},
		},
	}
}

type handler struct {
	svc *service.Service
	now func() time.Time
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
