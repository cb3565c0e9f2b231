package apiv3

import (
	"net/http"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

func (h *handler) historyRoutes() []api.Route {
	const scope = cohort.ScopeCustomersRead
	return []api.Route{
		{Operation: "getGroupAsOf", Method: "GET", Path: "/v1/groups/{id}", Scope: scope, Expensive: true, Handle: h.getGroupAsOf},
		{Operation: "listGroupHistory", Method: "GET", Path: "/v1/groups/{id}/history", Scope: scope, Handle: h.listGroupHistory},
		{Operation: "getMembership", Method: "GET", Path: "/v1/customers/{id}/membership", Scope: scope, Expensive: true, Handle: h.getMembership},
		{Operation: "listCustomerHistory", Method: "GET", Path: "/v1/customers/{id}/history", Scope: scope, Handle: h.listCustomerHistory},
	}
}

// historyWire is a page of the events of a group or a customer.
type historyWire struct {
	Data []api.Event     `json:"data"`
	Meta historyMetaWire `json:"meta"`
}

type historyMetaWire struct {
	After      int64     `json:"after"`
	More       bool      `json:"more"`
	KnownSince time.Time `json:"known_since"`
}

func (h *handler) listGroupHistory(w http.ResponseWriter, r *api.Request) error {
	q, err := readEventQuery(r, "after", "type", "limit", "members")
	if err != nil {
		return err
	}
	return h.writeHistory(w, r, q, func(id int64) cohort.EventSubject {
		return cohort.EventSubject{GroupID: id, WithoutMembers: !q.members}
	})
}

func (h *handler) listCustomerHistory(w http.ResponseWriter, r *api.Request) error {
	q, err := readEventQuery(r, "after", "type", "limit")
	if err != nil {
		return err
	}
	return h.writeHistory(w, r, q, func(id int64) cohort.EventSubject { return cohort.EventSubject{CustomerID: id} })
}

func (h *handler) writeHistory(w http.ResponseWriter, r *api.Request, q eventQuery, subject func(id int64) cohort.EventSubject) error {
	id, err := r.ID("id")
	if err != nil {
		return err
	}
	page, since, err := h.svc.History(r.Context(), r.Store.Key, subject(id), q.filter, q.limit)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, historyWire{
		Data: allToWire(page.Events, api.NewEvent), Meta: historyMetaWire{After: page.Next, More: page.More, KnownSince: since},
	})
}

// groupAsOfWire is a group as it was. A field in Unknown has no value that is known.
type groupAsOfWire struct {
	ID               int64                 `json:"id"`
	Name             string                `json:"name"`
	CategoryAccess   categoryAccessOfGroup `json:"category_access"`
	DiscountRules    []groupRuleWire       `json:"discount_rules"`
	Assignments      []clonedAssignment    `json:"price_list_assignments"`
	IsDefault        bool                  `json:"is_default"`
	IsGroupForGuests bool                  `json:"is_group_for_guests"`
	Members          int64                 `json:"members"`
	Unknown          []string              `json:"unknown"`
	Event            *int64                `json:"event"` // null: older than the events
	AsOf             time.Time             `json:"as_of"`
	KnownSince       time.Time             `json:"known_since"`
}

func (h *handler) getGroupAsOf(w http.ResponseWriter, r *api.Request) error {
	id, at, err := h.readAsOf(r)
	if err != nil {
		return err
	}
	g, err := h.svc.GroupAsOf(r.Context(), r.Store.Key, id, at)
	if err != nil {
		return err
	}
	wire := groupAsOfWire{
		ID: g.ID, Name: g.Name, CategoryAccess: categoryAccessOfGroup(g.CategoryAccess), DiscountRules: allToWire(g.DiscountRules, groupRuleToWire),
		Assignments: allToWire(g.Assignments, clonedAssignmentToWire), IsDefault: g.IsDefault, IsGroupForGuests: g.IsGroupForGuests,
		Members: g.Members, Unknown: append([]string{}, g.Unknown...), AsOf: at, KnownSince: g.Since,
	}
	if g.Number != 0 {
		wire.Event = &g.Number
	}
	return writeSingle(w, wire)
}

// membershipWire says in which group a customer was, and who moved her. What is null is
// older than the events.
type membershipWire struct {
	CustomerID int64      `json:"customer_id"`
	GroupID    *int64     `json:"customer_group_id"` // null: in none
	Since      *time.Time `json:"since"`
	Event      *api.Event `json:"event"`
	AsOf       time.Time  `json:"as_of"`
	KnownSince time.Time  `json:"known_since"`
}

func (h *handler) getMembership(w http.ResponseWriter, r *api.Request) error {
	id, at, err := h.readAsOf(r)
	if err != nil {
		return err
	}
	m, err := h.svc.Membership(r.Context(), r.Store.Key, id, at)
	if err != nil {
		return err
	}
	wire := membershipWire{CustomerID: m.CustomerID, AsOf: at, KnownSince: m.Since}
	if m.GroupID != 0 {
		wire.GroupID = &m.GroupID
	}
	if m.Change != nil {
		wire.Since, wire.Event = &m.Change.Date, new(api.NewEvent(*m.Change))
	}
	return writeSingle(w, wire)
}

// readAsOf reads the id of the path and the parameter as_of; without it, now.
func (h *handler) readAsOf(r *api.Request) (id int64, at time.Time, err error) {
	if id, err = r.ID("id"); err != nil {
		return id, at, err
	}
	q, err := readEventQuery(r, "as_of")
	if q.asOf.IsZero() {
		q.asOf = h.svc.Now(r.Store.Key).UTC().Truncate(time.Millisecond)
	}
	return id, q.asOf, err
}
