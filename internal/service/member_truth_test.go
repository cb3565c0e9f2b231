package service_test

import (
	"context"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// snapshot compares everything that tells who is in which group, at one moment.
func (h *history) snapshot(ctx context.Context) {
	err := h.db.View(ctx, func(tx *db.Tx) error {
		all := cohort.Page{Number: 1, Size: 100_000}
		groups, err := tx.ListGroups(h.store, cohort.GroupFilter{}, all)
		if err != nil {
			return err
		}
		kept, err := tx.MemberCounts(h.store)
		if err != nil {
			return err
		}
		customers, err := tx.ListCustomers(h.store, cohort.CustomerFilter{}, all)
		if err != nil {
			return err
		}
		exists := map[int64]bool{0: true}
		highest := h.groups.Load() // there may be higher ones by now, but not in this view
		for _, g := range groups {
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
			list, err := tx.ListCustomers(h.store, f, all)
			if err != nil {
				return err
			}
			var found []int64
			for _, c := range list {
				found = append(found, c.ID)
			}
			if !slices.Equal(found, seen[id]) || n != int64(len(found)) {
				h.problem("group %d: the filter finds %v and counts %d, seen are %v", id, found, n, seen[id])
			}
			if id != 0 && kept[id] != n {
				h.problem("group %d: %d members are kept, %d counted", id, kept[id], n)
			}
		}
		return nil
	})
	if err != nil {
		h.problem("snapshot: %v", err)
	}
}

// wantOwn notes a problem unless exactly the callers' customers are there, each
// in the group that its caller was told last or, if that is gone, in none, and
// unless ListGroupMembers agrees.
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
		h.problem("groups of the customers at the end: %v (%v), the callers were told %v", got, err, want)
	}
	for _, g := range groups {
		if g.Members != count[g.ID] {
			h.problem("group %d at the end has %d members, want %d", g.ID, g.Members, count[g.ID])
		}
	}
}
