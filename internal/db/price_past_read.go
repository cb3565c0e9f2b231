package db

import (
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// Store returns the store with the currency and the catalog mode that it had.
func (p *PastPrices) Store(storeKey string) (cohort.Store, error) {
	st, err := p.tx.Store(storeKey)
	r := p.resources[pastKey{pastType: pastStore}]
	if err != nil || r == nil {
		return st, err
	}
	if err := r.into("currency", &st.Currency); err != nil {
		return st, err
	}
	return st, r.into("catalog", &st.Catalog)
}

// HasChannel reports whether a channel existed and was not deleted.
func (p *PastPrices) HasChannel(storeKey string, id int64) (bool, error) {
	has, err := p.tx.HasChannel(storeKey, id)
	r := p.resources[pastKey{pastType: pastChannel, id: id}]
	if err != nil || r == nil || id == cohort.FirstChannelID {
		return has, err
	}
	status := cohort.ChannelDeleted
	if has {
		status = ""
	}
	if err := r.into("status", &status); err != nil {
		return false, err
	}
	return r.exists && status != cohort.ChannelDeleted, nil
}

// Group returns a group as it was, without its dates, or KindNotFound.
func (p *PastPrices) Group(storeKey string, id int64) (cohort.Group, error) {
	g, err := p.tx.GroupAsOf(storeKey, id, p.at)
	if err != nil {
		return g.Group, err
	}
	for _, field := range []string{"name", "discount_rules"} {
		if slices.Contains(g.Unknown, field) {
			return g.Group, cohort.Invalid("as_of", fmt.Sprintf("The events do not say what the field %s of %s was at that time.", field, groupName(id)))
		}
	}
	return g.Group, nil
}

// GuestGroupOfChannel is [Tx.GuestGroupOfChannel] for the past.
func (p *PastPrices) GuestGroupOfChannel(storeKey string, channelID int64) (group *cohort.Group, own bool, err error) {
	settings, err := p.tx.ChannelSettings(storeKey, channelID)
	if err != nil {
		return nil, false, err
	}
	id := settings.GuestGroupID
	if r := p.resources[pastKey{pastType: pastSettings, id: channelID}]; r != nil {
		if err := r.into(guestGroupField, &id); err != nil {
			return nil, false, err
		}
	}
	own = id != nil
	if !own {
		if id, err = p.guestGroupOfStore(storeKey); err != nil {
			return nil, false, err
		}
	}
	if id == nil || *id == 0 {
		return nil, own, nil
	}
	g, err := p.Group(storeKey, *id)
	return &g, own, err
}

func (p *PastPrices) guestGroupOfStore(storeKey string) (*int64, error) {
	if p.guestsMoved {
		return &p.guests, nil
	}
	g, err := p.tx.GuestGroup(storeKey)
	if err != nil || g == nil {
		return nil, err
	}
	return &g.ID, nil
}

// AssignedLists is [Tx.AssignedLists] for the past.
func (p *PastPrices) AssignedLists(storeKey string, groupID, channelID int64, terms *cohort.PriceTerms) error {
	list, err := p.assignments(storeKey, groupID, channelID)
	if err != nil {
		return err
	}
	lists, err := p.lists(storeKey, list)
	if err != nil {
		return err
	}
	for _, a := range list {
		assign(terms, a.GroupID, a.ChannelID, lists[a.PriceListID])
	}
	return nil
}

// assignments returns the assignments that were to the group or to no group, and in the channel
// or in no channel.
func (p *PastPrices) assignments(storeKey string, groupID, channelID int64) ([]cohort.PriceListAssignment, error) {
	rows, err := p.tx.Query("SELECT "+assignmentColumns+` FROM price_list_assignments
		WHERE store_hash = $1 AND customer_group_id IN (0, $2) AND channel_id IN (0, $3)`, storeKey, groupID, channelID)
	if err != nil {
		return nil, err
	}
	list, err := txn.Collect(rows, scanAssignment)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(a cohort.PriceListAssignment) bool {
		return p.resources[pastKey{pastType: pastAssignment, id: a.ID}] != nil
	})
	for key, r := range p.resources {
		if key.pastType != pastAssignment || !r.exists {
			continue
		}
		a := cohort.PriceListAssignment{ID: key.id, PriceListID: r.ids.PriceListID, GroupID: r.ids.GroupID, ChannelID: r.ids.ChannelID}
		for field, into := range map[string]*int64{"price_list_id": &a.PriceListID, "customer_group_id": &a.GroupID, "channel_id": &a.ChannelID} {
			if err := r.into(field, into); err != nil {
				return nil, err
			}
		}
		if slices.Contains([]int64{0, groupID}, a.GroupID) && slices.Contains([]int64{0, channelID}, a.ChannelID) {
			list = append(list, a)
		}
	}
	return list, nil
}

// lists returns the price lists of assignments.
func (p *PastPrices) lists(storeKey string, of []cohort.PriceListAssignment) (map[int64]cohort.AssignedList, error) {
	lists := make(map[int64]cohort.AssignedList, len(of))
	for _, a := range of {
		l := cohort.AssignedList{ID: a.PriceListID}
		now, err := p.tx.PriceList(storeKey, l.ID)
		switch {
		case err == nil:
			l = cohort.AssignedList{ID: l.ID, Name: now.Name, Known: true, Active: now.Active}
		case cohort.KindOf(err) != cohort.KindNotFound:
			return nil, err
		}
		if r := p.resources[pastKey{pastType: pastList, id: l.ID}]; r != nil {
			if l.Known = r.exists; !l.Known {
				l = cohort.AssignedList{ID: l.ID}
			} else if err := r.intoList(&l); err != nil {
				return nil, err
			}
		}
		lists[l.ID] = l
	}
	return lists, nil
}

func (r *pastResource) intoList(l *cohort.AssignedList) error {
	if err := r.into("name", &l.Name); err != nil {
		return err
	}
	return r.into("active", &l.Active)
}
