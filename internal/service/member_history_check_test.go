package service_test

import (
	"context"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// snapshot compares all sources of group membership, in one snapshot of the database.
func (h *history) snapshot(ctx context.Context) {
	err := h.db.View(ctx, func(tx *db.Tx) error {
		all := cohort.Page{Number: 1, Size: 100_000}
		groups, err := tx.ListGroups(h.store, cohort.GroupFilter{}, all)
		if err != nil {
			return err
		}
		counters, err := tx.MemberCounts(h.store)
		if err != nil {
			return err
		}
		customers, err := dbtest.Customers(tx, h.store, cohort.CustomerFilter{}, all)
		if err != nil {
			return err
		}
		exists := map[int64]bool{0: true}
		highest := h.groups.Load() // includes groups that this snapshot may not contain
		named := map[string]bool{}
		for _, g := range groups {
			if named[g.Name] {
				h.problem("two groups have the name %q", g.Name)
			}
			named[g.Name] = true
			exists[g.ID] = true
			highest = max(highest, g.ID)
		}
		seen := map[int64][]int64{}
		for _, c := range customers {
			if !exists[c.GroupID] {
				h.problem("customer %d is in group %d, which does not exist", c.ID, c.GroupID)
			}
			seen[c.GroupID] = append(seen[c.GroupID], c.ID)
		}
		for id := range highest + 1 {
			f := cohort.CustomerFilter{GroupID: &id}
			n, err := tx.CountCustomers(h.store, f)
			if err != nil {
				return err
			}
			list, err := dbtest.Customers(tx, h.store, f, all)
			if err != nil {
				return err
			}
			var found []int64
			for _, c := range list {
				found = append(found, c.ID)
			}
			if !slices.Equal(found, seen[id]) || n != int64(len(found)) {
				h.problem("group %d: the filter lists %v and counts %d, but the customers of the group are %v", id, found, n, seen[id])
			}
			if id != 0 && counters[id] != n {
				h.problem("group %d: the counter is %d, but the group has %d members", id, counters[id], n)
			}
		}
		return nil
	})
	if err != nil {
		h.problem("snapshot: %v", err)
	}
}

// wantOwn records a problem unless the store has exactly the callers' customers, each in
// the group of its caller's last result or, if that group is deleted, in none, and unless
// ListGroupMembers agrees.
func (h *history) wantOwn(ctx context.Context, members []*member) {
	page := cohort.Page{Number: 1, Size: 100_000}
	groups, err := h.svc.ListGroupMembers(ctx, h.store, cohort.GroupFilter{}, page)
	if err != nil {
		h.problem("%v", err)
	}
	exists, count := map[int64]bool{}, map[int64]int64{}
	for _, g := range groups {
		exists[g.ID] = true
	}
	want := map[int64]int64{}
	for _, m := range members {
		for id, group := range m.own {
			if !exists[group] {
				group = 0
			}
			want[id] = group
			count[group]++
		}
	}
	customers, err := h.svc.ListCustomers(ctx, h.store, cohort.CustomerFilter{}, page)
	got := map[int64]int64{}
	for _, c := range customers {
		got[c.ID] = c.GroupID
	}
	if !maps.Equal(want, got) || err != nil {
		h.problem("final groups of the customers: %v (error %v), want %v", got, err, want)
	}
	for _, g := range groups {
		if g.Members != count[g.ID] {
			h.problem("final members of group %d: %d, want %d", g.ID, g.Members, count[g.ID])
		}
	}
}
