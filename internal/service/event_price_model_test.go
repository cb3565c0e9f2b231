package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestEventsRebuildPrices is TestEventsRebuildTheStore for all that prices depend on besides
// the catalog: price lists, records, assignments, channels, settings and the store itself.
// An event of a deletion must have all values, so that it can be undone.
func TestEventsRebuildPrices(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		histories := 0
		rapid.Check(t, func(t *rapid.T) {
			histories++
			store := fmt.Sprint("s", histories)
			st, err := svc.CreateStore(context.Background(), cohort.Store{Hash: store, Events: true, Catalog: cohort.CatalogManaged})
			if err != nil {
				t.Fatal(err)
			}
			addModelCatalog(t, d, store)
			e := &priceEventModel{svc: svc, d: d, store: store, copy: newPriceCopy()}
			e.copy.channels[cohort.FirstChannelID] = channelText(cohort.Channel{
				Name: "Storefront", Type: cohort.ChannelStorefront, Platform: "bigcommerce", Status: cohort.ChannelActive, IsVisible: true, IsListableFromUI: true,
			})
			e.copy.settings[0] = texts{"ask_shopper_for_tracking_consent": "false", "ask_shopper_for_tracking_consent_on_checkout": "false", "policy_url": `""`}
			e.copy.stores[0] = storeText(st)
			t.Repeat(rapid.StateMachineActions(e))
		})
	})
}

// addModelCatalog adds the products 1 to 3, each with a variant of the same id, without events.
func addModelCatalog(t *rapid.T, d *db.DB, store string) {
	err := d.Update(context.Background(), func(tx *db.Tx) error {
		for id := int64(1); id <= 3; id++ {
			p := cohort.Product{ID: id, Name: "x", Type: cohort.ProductPhysical, BaseVariantID: id, DateCreated: t0, DateModified: t0}
			if err := tx.InsertProduct(store, p); err != nil {
				return err
			}
			if err := tx.InsertVariant(store, cohort.Variant{ID: id, ProductID: id, SKU: fmt.Sprint("SKU", id)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// texts are the values of a resource as JSON, by field, without those that are null.
type texts map[string]string

// modelRecord identifies a price record.
type modelRecord struct {
	list, variant int64
	currency      string
}

// priceCopy is what events say that a store contains.
type priceCopy struct {
	groups, lists, assignments, channels map[int64]texts
	records                              map[modelRecord]texts
	settings                             map[int64]texts // by channel; 0: the store, without its groups
	stores                               map[int64]texts // one, at 0
}

func newPriceCopy() *priceCopy {
	return &priceCopy{
		groups: map[int64]texts{}, lists: map[int64]texts{}, assignments: map[int64]texts{}, channels: map[int64]texts{},
		records: map[modelRecord]texts{}, settings: map[int64]texts{}, stores: map[int64]texts{},
	}
}

// all returns the parts of the copy by name, for comparison.
func (c *priceCopy) all() map[string]any {
	return map[string]any{
		"groups": c.groups, "lists": c.lists, "assignments": c.assignments, "channels": c.channels,
		"records": c.records, "settings": c.settings, "stores": c.stores,
	}
}

// apply applies an event to the copy. It returns an error if the event does not fit.
func (c *priceCopy) apply(e cohort.Event) error {
	changes := map[string][2]json.RawMessage{}
	if err := json.Unmarshal(e.Changes, &changes); err != nil {
		return err
	}
	record := modelRecord{e.PriceListID, e.VariantID, e.Currency}
	switch e.Kind {
	case cohort.GroupCreated, cohort.PriceListCreated, cohort.AssignmentCreated, cohort.ChannelCreated:
		return create(c.resources(e))(changes)
	case cohort.GroupUpdated, cohort.PriceListUpdated, cohort.AssignmentUpdated, cohort.ChannelUpdated:
		return alter(c.resources(e))(changes)
	case cohort.GroupDeleted:
		delete(changes, "members")
		return discard(c.groups, e.GroupID)(changes)
	case cohort.PriceListDeleted:
		return c.deleteList(e.PriceListID, changes)
	case cohort.AssignmentDeleted:
		return discard(c.assignments, e.AssignmentID)(changes)
	case cohort.PriceRecordCreated, cohort.PriceRecordUpdated, cohort.PriceRecordDeleted:
		if e.ProductID != e.VariantID { // see addModelCatalog
			return fmt.Errorf("product %d of variant %d", e.ProductID, e.VariantID)
		}
		return applyAs(e.Kind, c.records, record)(changes)
	case cohort.SettingsUpdated:
		return c.changeSettings(e.ChannelID, changes)
	case cohort.StoreUpdated:
		return alter(c.stores, 0)(changes)
	}
	return fmt.Errorf("an unexpected kind")
}

// resources returns the resources of an event's kind, and the id of the one that it is about.
func (c *priceCopy) resources(e cohort.Event) (map[int64]texts, int64) {
	switch e.Kind {
	case cohort.PriceListCreated, cohort.PriceListUpdated:
		return c.lists, e.PriceListID
	case cohort.AssignmentCreated, cohort.AssignmentUpdated:
		return c.assignments, e.AssignmentID
	case cohort.ChannelCreated, cohort.ChannelUpdated:
		return c.channels, e.ChannelID
	}
	return c.groups, e.GroupID
}

func (c *priceCopy) deleteList(id int64, changes map[string][2]json.RawMessage) error {
	n := 0
	for r := range c.records {
		if r.list == id {
			n++
			delete(c.records, r)
		}
	}
	if got := string(changes["records"][0]); got != strconv.Itoa(n) {
		return fmt.Errorf("%s records, in the copy %d", got, n)
	}
	delete(changes, "records")
	return discard(c.lists, id)(changes)
}

// changeSettings applies a change of settings. The groups of the store are flags of its
// groups, whose events have preceded.
func (c *priceCopy) changeSettings(channel int64, changes map[string][2]json.RawMessage) error {
	if channel != 0 {
		if c.settings[channel] == nil {
			c.settings[channel] = texts{}
		}
		err := alter(c.settings, channel)(changes)
		if len(c.settings[channel]) == 0 {
			delete(c.settings, channel)
		}
		return err
	}
	for field, flag := range map[string]string{"default_customer_group_id": "is_default", "guest_customer_group_id": "is_group_for_guests"} {
		if values, changed := changes[field]; changed && string(values[1]) != strconv.FormatInt(c.flagged(flag), 10) {
			return fmt.Errorf("%s is %s, in the copy %d", field, values[1], c.flagged(flag))
		}
		delete(changes, field)
	}
	if len(changes) == 0 {
		return nil
	}
	return alter(c.settings, 0)(changes)
}

// flagged returns the id of the group that has a flag, or 0.
func (c *priceCopy) flagged(flag string) int64 {
	for id, g := range c.groups {
		if g[flag] == "true" {
			return id
		}
	}
	return 0
}

// applyAs applies the event of a price record.
func applyAs[K comparable](kind cohort.EventKind, all map[K]texts, id K) func(map[string][2]json.RawMessage) error {
	switch kind {
	case cohort.PriceRecordCreated:
		return create(all, id)
	case cohort.PriceRecordUpdated:
		return alter(all, id)
	}
	return discard(all, id)
}

// create returns a function that adds a resource.
func create[K comparable](all map[K]texts, id K) func(map[string][2]json.RawMessage) error {
	return func(changes map[string][2]json.RawMessage) error {
		if all[id] != nil {
			return fmt.Errorf("it exists in the copy")
		}
		all[id] = texts{}
		return alter(all, id)(changes)
	}
}

// alter returns a function that changes a resource, which must be as before the change.
func alter[K comparable](all map[K]texts, id K) func(map[string][2]json.RawMessage) error {
	return func(changes map[string][2]json.RawMessage) error {
		if all[id] == nil {
			return fmt.Errorf("it does not exist in the copy")
		}
		for field, values := range changes {
			before, after := string(values[0]), string(values[1])
			was, set := all[id][field]
			if !set {
				was = "null"
			}
			if before != was || before == after {
				return fmt.Errorf("%s changes from %s to %s, but in the copy it is %s", field, before, after, was)
			}
			if all[id][field] = after; after == "null" {
				delete(all[id], field)
			}
		}
		return nil
	}
}

// discard returns a function that deletes a resource, all of whose values must change to null.
func discard[K comparable](all map[K]texts, id K) func(map[string][2]json.RawMessage) error {
	return func(changes map[string][2]json.RawMessage) error {
		if err := alter(all, id)(changes); err != nil {
			return err
		}
		if left := all[id]; len(left) > 0 {
			return fmt.Errorf("the event of the deletion does not have %v", maps.Clone(left))
		}
		delete(all, id)
		return nil
	}
}

// Check reads the new events and compares the copy with the store.
func (e *priceEventModel) Check(t *rapid.T) {
	for _, event := range allEventsOf(t, e.svc, e.store, e.last) {
		e.last = event.Number
		if err := e.copy.apply(event); err != nil {
			t.Fatalf("event %s %+v: %v", told(event), event.EventIDs, err)
		}
	}
	if diff := cmp.Diff(e.read(t).all(), e.copy.all()); diff != "" {
		t.Fatalf("the store and its copy by events (-store +copy):\n%s", diff)
	}
}
