package main_test

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/anishathalye/porcupine"
)

// asked is a call of one client; a nil field is not in the request.
type asked struct {
	do                string // create group, update group, delete group, list groups, …
	id                int64
	text              string // a new name or email
	isDefault, guests *bool
	group             *int64
}

// outcome is the response. For an acknowledged change it has the id.
type outcome struct {
	status    int
	id, count int64
	groups    []groupSeen
	customers []customerSeen
}

type groupSeen struct {
	ID      int64
	Name    string
	Default bool `json:"is_default"`
	Guests  bool `json:"is_group_for_guests"`
}

type customerSeen struct {
	ID    int64
	Email string
	Group int64 `json:"customer_group_id"`
}

// shop is the content of a store, by id. Its maps are never changed in place.
type shop struct {
	groups    map[int64]groupSeen
	customers map[int64]customerSeen
	// All ids ever used. An id is never used twice.
	groupIDs, customerIDs map[int64]bool
}

func (s shop) clone() shop {
	return shop{maps.Clone(s.groups), maps.Clone(s.customers), maps.Clone(s.groupIDs), maps.Clone(s.customerIDs)}
}

// oneStore is the model of a store that processes one call at a time. The store
// chooses the id of a new thing freely among the unused ones.
var oneStore = porcupine.Model{
	Init: func() any {
		return shop{map[int64]groupSeen{}, map[int64]customerSeen{}, map[int64]bool{}, map[int64]bool{}}
	},
	Step: func(before, input, output any) (bool, any) {
		after := before.(shop).clone()
		return after.allows(input.(asked), output.(outcome)), after
	},
	Equal: func(a, b any) bool {
		x, y := a.(shop), b.(shop)
		return maps.Equal(x.groups, y.groups) && maps.Equal(x.customers, y.customers) &&
			maps.Equal(x.groupIDs, y.groupIDs) && maps.Equal(x.customerIDs, y.customerIDs)
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprint(input, " ", output) },
}

// allows reports whether the model can give this response now, and applies the
// call.
func (s shop) allows(a asked, got outcome) bool {
	switch a.do {
	case "create group":
		if got.status != http.StatusOK || s.groupIDs[got.id] {
			return false
		}
		s.groupIDs[got.id] = true
		s.put(groupSeen{ID: got.id, Name: a.text}, a)
		return true
	case "update group", "delete group":
		return s.allowsGroup(a, got)
	case "get group":
		return s.allowsGet(a.id, got)
	case "create customer":
		return s.allowsCustomer(a, got)
	case "delete customer":
		_, there := s.customers[a.id]
		delete(s.customers, a.id)
		return got.status == map[bool]int{true: http.StatusNoContent, false: http.StatusNotFound}[there]
	case "list groups":
		return slices.Equal(got.groups, sorted(s.groups, func(g groupSeen) int64 { return g.ID }))
	case "list customers":
		return slices.Equal(got.customers, sorted(s.customers, func(c customerSeen) int64 { return c.ID }))
	}
	return got.count == s.members(a.id)
}

func (s shop) allowsGroup(a asked, got outcome) bool {
	g, there := s.groups[a.id]
	switch {
	case !there:
		return got.status == http.StatusNotFound
	case a.do == "update group":
		s.put(g, a)
		return got.status == http.StatusOK
	}
	delete(s.groups, a.id)
	for id, c := range s.customers {
		if c.Group == a.id {
			c.Group = 0
			s.customers[id] = c
		}
	}
	return got.status == http.StatusNoContent
}

func (s shop) allowsGet(id int64, got outcome) bool {
	g, there := s.groups[id]
	if !there {
		return got.status == http.StatusNotFound
	}
	return got.status == http.StatusOK && got.groups[0] == g
}

// put stores a group with the requested flags, and clears these flags of the
// other groups.
func (s shop) put(g groupSeen, a asked) {
	if a.isDefault != nil {
		g.Default = *a.isDefault
	}
	if a.guests != nil {
		g.Guests = *a.guests
	}
	for id, other := range s.groups {
		other.Default = other.Default && !g.Default
		other.Guests = other.Guests && !g.Guests
		s.groups[id] = other
	}
	s.groups[g.ID] = g
}

func (s shop) allowsCustomer(a asked, got outcome) bool {
	rejected := false
	for _, other := range s.customers {
		rejected = rejected || other.Email == a.text
	}
	if a.group != nil {
		rejected = rejected || !s.has(*a.group)
	}
	if rejected {
		return got.status == http.StatusBadRequest
	}
	if got.status != http.StatusOK || s.customerIDs[got.id] {
		return false
	}
	c := got.customers[0]
	if c.Email != a.text || !s.joins(a, c.Group) {
		return false
	}
	s.customerIDs[got.id] = true
	s.customers[got.id] = c
	return true
}

// joins reports whether a new customer can be in a group. Without a group in
// the request, it is the default group.
func (s shop) joins(a asked, group int64) bool {
	if a.group != nil {
		return group == *a.group
	}
	for _, g := range s.groups {
		if g.Default {
			return group == g.ID
		}
	}
	return group == 0
}

// has reports whether the group exists; 0 stands for no group.
func (s shop) has(group int64) bool {
	_, there := s.groups[group]
	return there || group == 0
}

func (s shop) members(group int64) (n int64) {
	for _, c := range s.customers {
		if c.Group == group {
			n++
		}
	}
	return n
}

// sorted returns the values in the order of their ids, nil if there are none.
func sorted[T any](all map[int64]T, id func(T) int64) []T {
	if len(all) == 0 {
		return nil
	}
	return slices.SortedFunc(maps.Values(all), func(a, b T) int { return cmp.Compare(id(a), id(b)) })
}
