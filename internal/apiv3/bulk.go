package apiv3

import (
	"fmt"
	"net/http"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// bulkConcurrency is how many moves of members, and deletions of groups, of one store may
// run together. Each holds the rows of many customers. Source: decided here.
const bulkConcurrency = 1

// bulkMembers is the name under which these operations are counted.
const bulkMembers = "bulkMembers"

func (h *handler) bulkRoutes() []api.Route {
	const scope = cohort.ScopeCustomers
	return []api.Route{
		{Operation: "moveMembers", Method: "POST", Path: "/v1/members/move", Scope: scope, Concurrency: bulkConcurrency, ConcurrencyGroup: bulkMembers, Expensive: true, Handle: h.moveMembers},
		{Operation: "deleteGroupSafely", Method: "POST", Path: "/v1/groups/{id}/delete", Scope: scope, Concurrency: bulkConcurrency, ConcurrencyGroup: bulkMembers, Expensive: true, Handle: h.deleteGroupSafely},
		{Operation: "cloneGroup", Method: "POST", Path: "/v1/groups/{id}/clone", Scope: scope, Handle: h.cloneGroup},
	}
}

// affectedWire is the part that the results of bulk operations share.
type affectedWire struct {
	DryRun bool         `json:"dry_run"`
	Count  int64        `json:"count"`
	Sample []memberWire `json:"sample"`
}

type memberWire struct {
	ID      int64  `json:"id"`
	Email   string `json:"email"`
	GroupID int64  `json:"customer_group_id"` // before the operation
}

func affectedToWire(dryRun bool, a service.AffectedMembers) affectedWire {
	return affectedWire{dryRun, a.Count, allToWire(a.Sample, func(c cohort.Customer) memberWire { return memberWire{c.ID, c.Email, c.GroupID} })}
}

// moveWire is the result of a move. Unknown has ids or emails, as the request does.
type moveWire struct {
	affectedWire
	Unchanged    int64 `json:"unchanged"`
	UnknownCount int64 `json:"unknown_count"`
	Unknown      any   `json:"unknown"`
}

// confirmationFields adds the fields that confirm a bulk operation to a table.
func confirmationFields[T any](table api.Fields[T], at func(*T) *service.Confirmation) api.Fields[T] {
	table["dry_run"] = nullable(func(t *T) *bool { return &at(t).DryRun }, texts.ReadBool)
	table["expected"] = optional(func(t *T) **int64 { return &at(t).Expected }, readExpected)
	return table
}

func readExpected(v api.Value) (int64, error) {
	n, ok := v.Int()
	if !ok || n < 0 {
		return 0, cohort.Invalid("", "The value must be the count that a dry run has shown.")
	}
	return n, nil
}

var moveFields = confirmationFields(api.Fields[service.MemberMove]{
	"customer_group_id": api.Plain(func(m *service.MemberMove) *int64 { return &m.GroupID }, texts.ReadIDOrNone),
	"customer_ids":      nullable(func(m *service.MemberMove) *[]int64 { return &m.IDs }, boundedList(service.MaxBulkMembers, texts.ReadID)),
	"emails":            nullable(func(m *service.MemberMove) *[]string { return &m.Emails }, boundedList(service.MaxBulkMembers, readSearched)),
	"filter":            optional(func(m *service.MemberMove) **cohort.CustomerFilter { return &m.Filter }, readBulkFilter),
	"skip_unknown":      nullable(func(m *service.MemberMove) *bool { return &m.SkipUnknown }, texts.ReadBool),
}, func(m *service.MemberMove) *service.Confirmation { return &m.Confirmation })

// bulkFilters has the filters of a move: those of the list of customers, except that lists
// are arrays, so that a text may contain commas.
var bulkFilters = func() api.Fields[cohort.CustomerFilter] {
	type filter = cohort.CustomerFilter
	ids := func(field func(*filter) *[]int64, read func(api.Value) (int64, error)) func(*filter, api.Value) error {
		return api.Plain(field, boundedList(maxListed, read))
	}
	words := func(most int, field func(*filter) *[]string) func(*filter, api.Value) error {
		return api.Plain(field, boundedList(most, readSearched))
	}
	fields := api.Fields[filter]{
		"id:in":                      ids(func(f *filter) *[]int64 { return &f.IDs }, texts.ReadID),
		"customer_group_id:in":       ids(func(f *filter) *[]int64 { return &f.GroupIDs }, texts.ReadIDOrNone),
		"company:in":                 words(maxListed, func(f *filter) *[]string { return &f.Companies }),
		"email:in":                   words(maxListed, func(f *filter) *[]string { return &f.Emails }),
		"name:in":                    words(maxListed, func(f *filter) *[]string { return &f.Names }),
		"name:like":                  words(maxNameParts, func(f *filter) *[]string { return &f.NameParts }),
		"phone:in":                   words(maxListed, func(f *filter) *[]string { return &f.Phones }),
		"registration_ip_address:in": words(maxListed, func(f *filter) *[]string { return &f.RegistrationIPAddresses }),
	}
	dates := filters[filter]{}
	dateFilters(dates, "date_created", func(f *filter) *cohort.TimeRange { return &f.DateCreated })
	dateFilters(dates, "date_modified", func(f *filter) *cohort.TimeRange { return &f.DateModified })
	for name, set := range dates {
		fields[name] = func(into *filter, v api.Value) error {
			text, err := readText[string](v)
			if err != nil {
				return err
			}
			return set(into, text)
		}
	}
	return fields
}()

func readBulkFilter(v api.Value) (f cohort.CustomerFilter, err error) {
	return f, decodeObject(v, &f, bulkFilters)
}

// boundedList returns the function for an array of 1 to limit values.
func boundedList[T any](limit int, read func(api.Value) (T, error)) func(api.Value) ([]T, error) {
	return func(v api.Value) ([]T, error) {
		values, ok := v.ArrayIn(nil, limit)
		switch {
		case !ok:
			return nil, cohort.Invalid("", "The value must be an array.")
		case len(values) == 0:
			return nil, cohort.Invalid("", "The list must not be empty.")
		case len(values) > limit:
			return nil, cohort.Invalid("", fmt.Sprintf("The list may have at most %d values.", limit))
		}
		return readEach(values, read)
	}
}

// readEach reads the elements of an array. The paths of its errors are their indexes.
func readEach[T any](values []api.Value, read func(api.Value) (T, error)) ([]T, error) {
	list := make([]T, len(values))
	wrong := cohort.ItemErrors{}
	for i, v := range values {
		var err error
		if list[i], err = read(v); err != nil {
			wrong[i] = err
		}
	}
	return list, wrong.Err()
}

// readSearched reads a text to compare with those of customers. The databases store no
// character 0, and one of them does not compare with it either.
func readSearched(v api.Value) (string, error) {
	text, err := readText[string](v)
	if err == nil && (text == "" || strings.ContainsRune(text, 0)) {
		return "", cohort.Invalid("", "The value must be a text that is not empty.")
	}
	return text, err
}

func (h *handler) moveMembers(w http.ResponseWriter, r *api.Request) error {
	move, err := decodeBody(r, moveFields, "customer_group_id")
	if err != nil {
		return err
	}
	moved, err := h.svc.MoveMembers(r.Context(), r.Store.Key, move)
	if err != nil {
		return err
	}
	wire := moveWire{affectedToWire(move.DryRun, moved.AffectedMembers), moved.Unchanged, moved.Unknown, []int64{}}
	switch {
	case moved.IDs != nil:
		wire.Unknown = moved.IDs
	case moved.Emails != nil:
		wire.Unknown = moved.Emails
	}
	return writeSingle(w, wire)
}
