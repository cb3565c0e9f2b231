package db

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

func whereSubject(storeKey string, s cohort.EventSubject) *where {
	w := whereStore(storeKey)
	if s.GroupID != 0 {
		w.and("group_id = ?", s.GroupID)
		w.text.WriteString(" AND group_id <> 0") // for the partial index
	}
	if s.CustomerID != 0 {
		w.and("customer_id = ?", s.CustomerID)
		w.text.WriteString(" AND customer_id <> 0")
	}
	if s.WithoutMembers {
		w.text.WriteString(" AND kind NOT IN ('" + string(cohort.MemberAdded) + "', '" + string(cohort.MemberRemoved) + "')")
	}
	return w
}

// ListEventsOf is ListEvents for one group or customer. The page has no bounds of the store.
func (t *Tx) ListEventsOf(storeKey string, s cohort.EventSubject, f cohort.EventFilter, limit int) (page cohort.EventPage, err error) {
	w := whereSubject(storeKey, s)
	w.and("number > ?", f.After)
	if len(f.Kinds) > 0 {
		in(w, "kind", kindTexts(f.Kinds))
	}
	rows, err := t.Query("SELECT number, "+eventColumns+" FROM events"+w.text.String()+" ORDER BY number LIMIT CAST("+w.arg(limit+1)+" AS BIGINT)", w.args...)
	if err != nil {
		return page, err
	}
	size := 0
	page.Next = f.After
	err = txn.Each(rows, scanEvent, func(e cohort.Event) bool {
		size += len(e.Changes)
		if page.More = len(page.Events) == limit || size > maxEventPage && len(page.Events) > 0; page.More {
			return false
		}
		page.Events, page.Next = append(page.Events, e), e.Number
		return true
	})
	return page, err
}

// HasEvents reports whether a group or a customer has events.
func (t *Tx) HasEvents(storeKey string, s cohort.EventSubject) (bool, error) {
	w := whereSubject(storeKey, s)
	return t.exists("SELECT 1 FROM events"+w.text.String()+" LIMIT 1", w.args...)
}

// replaced is the condition of the events that replaced what a store contains.
const replaced = " AND kind = '" + string(cohort.StoreReplaced) + "'"

// eachEventBack calls fn with events, the last one first, until it returns false. Those
// without a number, which have 0, come first. Those of what a reset has replaced are left out.
func (t *Tx) eachEventBack(storeKey string, s cohort.EventSubject, fn func(cohort.Event) (more bool)) error {
	more := true
	read := func(table, number, order string) error {
		w := whereSubject(storeKey, s)
		w.text.WriteString(" AND " + order + " > coalesce((SELECT max(r." + order + ") FROM " + table + " AS r WHERE r.store_hash = $1" + replaced + "), 0)")
		rows, err := t.Query("SELECT "+number+", "+eventColumns+" FROM "+table+w.text.String()+" ORDER BY "+order+" DESC", w.args...)
		if err != nil {
			return err
		}
		return txn.Each(rows, scanEvent, func(e cohort.Event) bool { more = fn(e); return more })
	}
	if !t.SQL().CommitsInOrder {
		if err := read("event_inbox", "CAST(0 AS BIGINT)", "ticket"); err != nil || !more {
			return err
		}
		if gone, err := t.exists("SELECT 1 FROM event_inbox WHERE store_hash = $1"+replaced+" LIMIT 1", storeKey); err != nil || gone {
			return err
		}
	}
	return read("events", "number", "number")
}

// DeletedGroupAfter reports whether a group with members was deleted after a date.
func (t *Tx) DeletedGroupAfter(storeKey string, after time.Time) (bool, error) {
	const condition = " WHERE store_hash = $1 AND kind = '" + string(cohort.GroupDeleted) + "' AND date_created > $2 AND changes NOT LIKE '%\"members\":[0,null]%' LIMIT 1"
	found, err := t.exists("SELECT 1 FROM events"+condition, storeKey, after.UnixMilli())
	if err != nil || found || t.SQL().CommitsInOrder {
		return found, err
	}
	return t.exists("SELECT 1 FROM event_inbox"+condition, storeKey, after.UnixMilli())
}

// LastEventOf returns the last event of a group or a customer of one of the kinds until a
// date, and the first one after it; nil: there is none. Dates count in the order of the
// events: what precedes an event of that date or before is before it too.
func (t *Tx) LastEventOf(storeKey string, s cohort.EventSubject, kinds []cohort.EventKind, until time.Time) (last, next *cohort.Event, err error) {
	err = t.eachEventBack(storeKey, s, func(e cohort.Event) bool {
		if !slices.Contains(kinds, e.Kind) {
			return true
		}
		if !e.Date.After(until) {
			last = &e
			return false
		}
		next = &e
		return true
	})
	return last, next, err
}

// pastGroup is a group whose later events are undone, one after the other.
type pastGroup struct {
	exists      bool
	values      map[string]json.RawMessage // by field; nil: not known
	members     int64
	assignments map[int64]cohort.PriceListAssignment
}

// GroupAsOf returns a group as it was at a time, from its present state and its events. It
// returns KindNotFound if it did not exist then.
func (t *Tx) GroupAsOf(storeKey string, id int64, at time.Time) (g cohort.GroupAsOf, err error) {
	p, err := t.presentGroup(storeKey, id)
	if err != nil {
		return g, err
	}
	var failed error
	err = t.eachEventBack(storeKey, cohort.EventSubject{GroupID: id}, func(e cohort.Event) bool {
		if !e.Date.After(at) {
			g.Number = e.Number
			return false
		}
		failed = p.undo(e)
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return g, err
	}
	if !p.exists {
		return g, cohort.NotFound(groupName(id))
	}
	return g, p.into(id, &g)
}

// presentGroup returns the group as it is now.
func (t *Tx) presentGroup(storeKey string, id int64) (*pastGroup, error) {
	p := &pastGroup{values: map[string]json.RawMessage{}, assignments: map[int64]cohort.PriceListAssignment{}}
	g, err := t.Group(storeKey, id)
	if cohort.KindOf(err) == cohort.KindNotFound {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.exists = true
	for i, value := range valuesOfGroup(g) {
		p.values[groupFields[i]] = json.RawMessage(value)
	}
	if p.members, err = t.MemberCount(storeKey, id); err != nil {
		return nil, err
	}
	list, err := t.AssignmentsOfGroup(storeKey, id)
	for _, a := range list {
		p.assignments[a.ID] = a
	}
	return p, err
}

// undo takes back what an event tells.
func (p *pastGroup) undo(e cohort.Event) error {
	switch e.Kind {
	case cohort.MemberAdded:
		p.members--
	case cohort.MemberRemoved:
		p.members++
	case cohort.GroupCreated:
		p.exists = false
	case cohort.GroupUpdated, cohort.GroupDeleted:
		return p.undoFields(e)
	case cohort.AssignmentCreated:
		delete(p.assignments, e.AssignmentID)
	case cohort.AssignmentUpdated, cohort.AssignmentDeleted:
		return p.undoAssignment(e)
	default: // of something in the group that is not part of its state
	}
	return nil
}

// pastChanges are the values before and after, by field; nil: they are not kept.
type pastChanges map[string][]json.RawMessage

func changesOf(e cohort.Event) (c pastChanges, err error) {
	if err := json.Unmarshal(e.Changes, &c); err != nil {
		return nil, fmt.Errorf("the changes of event %d: %w", e.Number, err)
	}
	return c, nil
}

// before returns the value of a field before a change, or nil if it is not kept. changed
// reports whether the field did change.
func (c pastChanges) before(field string) (value json.RawMessage, changed bool) {
	values, changed := c[field]
	if len(values) == 2 {
		value = values[0]
	}
	return value, changed
}

func (p *pastGroup) undoFields(e cohort.Event) error {
	changes, err := changesOf(e)
	if err != nil {
		return err
	}
	if e.Kind == cohort.GroupDeleted {
		p.exists = true
		members, _ := changes.before("members")
		if err := json.Unmarshal(members, &p.members); err != nil {
			return fmt.Errorf("the members of event %d: %w", e.Number, err)
		}
	}
	for _, field := range groupFields {
		if value, changed := changes.before(field); changed {
			p.values[field] = value
		}
	}
	return nil
}

func (p *pastGroup) undoAssignment(e cohort.Event) error {
	changes, err := changesOf(e)
	if err != nil {
		return err
	}
	a := p.assignments[e.AssignmentID]
	if e.Kind == cohort.AssignmentDeleted {
		a = cohort.PriceListAssignment{ID: e.AssignmentID, PriceListID: e.PriceListID, ChannelID: e.ChannelID, GroupID: e.GroupID}
	}
	if value, _ := changes.before("price_list_id"); value != nil {
		if err := json.Unmarshal(value, &a.PriceListID); err != nil {
			return fmt.Errorf("the price list of event %d: %w", e.Number, err)
		}
	}
	p.assignments[a.ID] = a
	return nil
}

// into writes the state into a result.
func (p *pastGroup) into(id int64, g *cohort.GroupAsOf) error {
	g.ID, g.Members = id, p.members
	for _, a := range p.assignments {
		g.Assignments = append(g.Assignments, a)
	}
	slices.SortFunc(g.Assignments, func(a, b cohort.PriceListAssignment) int { return int(a.ID - b.ID) })
	for _, field := range groupFields {
		if p.values[field] == nil {
			g.Unknown = append(g.Unknown, field)
			p.values[field] = json.RawMessage(noValue)
		}
	}
	for field, into := range map[string]any{"name": &g.Name, "is_default": &g.IsDefault, "is_group_for_guests": &g.IsGroupForGuests} {
		if err := json.Unmarshal(p.values[field], into); err != nil {
			return fmt.Errorf("%s of group %d: %w", field, id, err)
		}
	}
	return decodeGroup(&g.Group, string(p.values["category_access"]), string(p.values["discount_rules"]))
}
