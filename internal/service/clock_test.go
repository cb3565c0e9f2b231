package service_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"cohort.example/cohort"
	storeclock "cohort.example/cohort/internal/clock"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// datedTables are the tables with the dates of a store's data. The first channel is as old
// as the store.
var datedTables = []string{
	"customer_groups", "customers", "products", "price_lists", "price_records", "customer_attributes", "customer_attribute_values",
	"(SELECT * FROM channels WHERE id > 1) AS channels", "segments", "shopper_profiles", "customer_metafields",
}

// wantDates fails unless each table has rows of the store, all of them with these dates.
func wantDates(t *testing.T, d *db.DB, store string, created, modified time.Time) {
	t.Helper()
	err := d.View(t.Context(), func(tx *db.Tx) error {
		for _, table := range datedTables {
			var rows, right int
			if err := tx.QueryRow(`SELECT count(*), count(CASE WHEN date_created = $2 AND date_modified = $3 THEN 1 END)
				FROM `+table+` WHERE store_hash = $1`, store, created.UnixMilli(), modified.UnixMilli()).Scan(&rows, &right); err != nil {
				return err
			}
			if rows == 0 || right != rows {
				t.Errorf("%s: %d of %d rows are created %v and modified %v", table, right, rows, created, modified)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// dated is one row of each table with dates.
type dated struct {
	*service.Service
	store                                                         string
	group, customer, product, variant, list, attribute, metafield int64
	channel                                                       int64
	segment                                                       string
}

func (e *dated) create(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	e.group = mustCreate(t, e.Service, e.store, cohort.Group{Name: "Gold"}).ID
	customer, err := e.CreateCustomer(ctx, e.store, ada("ada@example.com"))
	ok(err)
	product, err := e.CreateProduct(ctx, e.store, cohort.Product{Name: "Towel", Type: cohort.ProductPhysical})
	ok(err)
	list, err := e.CreatePriceList(ctx, e.store, cohort.PriceList{Name: "Net"})
	ok(err)
	attributes, err := e.CreateAttributes(ctx, e.store, []cohort.Attribute{{Name: "Size", Type: cohort.AttributeString}})
	ok(err)
	channel, err := e.CreateChannel(ctx, e.store, till("Till"))
	ok(err)
	segments, err := e.CreateSegments(ctx, e.store, newSegments("VIP"))
	ok(err)
	_, err = e.CreateShopperProfiles(ctx, e.store, []int64{customer.ID})
	ok(err)
	metafields, _, err := e.CreateMetafields(ctx, e.store, "token", []cohort.MetafieldUpdate{newMetafield(customer.ID, "k")})
	ok(err)
	e.customer, e.product, e.variant, e.list, e.attribute = customer.ID, product.ID, product.BaseVariantID, list.ID, attributes[0].ID
	e.channel, e.segment, e.metafield = channel.ID, segments[0].ID, metafields[0].ID
	e.put(t, 1)
}

// put writes what has no operations of its own to create and to change.
func (e *dated) put(t *testing.T, value int64) {
	t.Helper()
	values := []cohort.AttributeValue{{CustomerID: e.customer, AttributeID: e.attribute, Value: fmt.Sprint(value)}}
	if _, err := e.PutAttributeValues(t.Context(), e.store, values); err != nil {
		t.Fatal(err)
	}
	records := []cohort.PriceRecordUpdate{{PriceListID: e.list, VariantID: e.variant, Currency: "usd", Price: setPrice(value)}}
	if err := e.PutPriceRecords(t.Context(), e.store, records); err != nil {
		t.Fatal(err)
	}
}

// change changes all of it but the profile, which nothing changes.
func (e *dated) change(t *testing.T, name string) {
	t.Helper()
	ctx := t.Context()
	for what, change := range map[string]func() error{
		"group": func() error {
			_, err := e.UpdateGroup(ctx, e.store, e.group, cohort.GroupUpdate{Name: &name})
			return err
		},
		"customer": func() error {
			_, err := e.UpdateCustomer(ctx, e.store, e.customer, cohort.CustomerUpdate{LastName: &name})
			return err
		},
		"product": func() error {
			_, err := e.UpdateProduct(ctx, e.store, e.product, cohort.ProductUpdate{Name: &name})
			return err
		},
		"price list": func() error {
			_, err := e.UpdatePriceList(ctx, e.store, e.list, cohort.PriceListUpdate{Name: &name})
			return err
		},
		"attribute": func() error {
			_, err := e.UpdateAttributes(ctx, e.store, []cohort.AttributeUpdate{{ID: e.attribute, Name: &name}})
			return err
		},
		"channel": func() error {
			_, err := e.UpdateChannel(ctx, e.store, e.channel, cohort.ChannelUpdate{Name: &name})
			return err
		},
		"segment": func() error {
			_, err := e.UpdateSegments(ctx, e.store, []cohort.SegmentUpdate{{ID: e.segment, Name: &name}})
			return err
		},
		"metafield": func() error {
			_, wrong, err := e.UpdateMetafields(ctx, e.store, "token", []cohort.MetafieldUpdate{{ID: e.metafield, Value: &name}})
			if len(wrong) > 0 {
				return wrong
			}
			return err
		},
	} {
		if err := change(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	e.put(t, 2)
}

// setProfileDate gives the profile the date of a change, which it never has.
func (e *dated) setProfileDate(t *testing.T, d *db.DB, to time.Time) {
	t.Helper()
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec("UPDATE shopper_profiles SET date_modified = $2 WHERE store_hash = $1", e.store, to.UnixMilli())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// All dates of a store's data follow its clock, and those of another store do not. The
// date of a change never goes back.
func TestDatesFollowTheClock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a", "b"})
		past := time.Date(2001, time.February, 3, 4, 5, 6, 7_000_000, time.UTC)
		ok := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		ok(svc.Clocks().Freeze("a", past))
		a, b := &dated{Service: svc, store: "a"}, &dated{Service: svc, store: "b"}
		a.create(t)
		b.create(t)
		wantDates(t, d, "a", past, past)
		wantDates(t, d, "b", t0, t0)

		later := past.Add(48 * time.Hour)
		ok(svc.Clocks().Advance("a", 48*time.Hour))
		a.change(t, "Silver")
		a.setProfileDate(t, d, later)
		wantDates(t, d, "a", past, later)

		ok(svc.Clocks().Freeze("a", past.AddDate(-20, 0, 0)))
		a.change(t, "Bronze")
		wantDates(t, d, "a", past, later)

		svc.Clocks().Clear("a")
		a.change(t, "Iron")
		a.setProfileDate(t, d, t0)
		wantDates(t, d, "a", past, t0)
		wantDates(t, d, "b", t0, t0)

		ok(svc.Clocks().Offset("a", 24*time.Hour))
		token, _, err := svc.CreateToken(t.Context(), cohort.Token{StoreKey: "a", Scopes: cohort.Scopes()})
		if want := t0.Add(24 * time.Hour); !token.DateCreated.Equal(want) || err != nil {
			t.Errorf("a token is created %v, error %v, want %v", token.DateCreated, err, want)
		}
	})
}

// The dates of an import follow the clock, and its lease does not: a clock that goes back
// during one does not keep the catalog locked.
func TestImportFollowsTheClock(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := managedService(t, d)
		future := time.Date(2099, time.March, 1, 0, 0, 0, 0, time.UTC)
		if err := svc.Clocks().Freeze("a", future); err != nil {
			t.Fatal(err)
		}
		items := []cohort.CatalogItem{{Line: 1, Kind: cohort.CatalogProduct, ID: 7, Product: cohort.Product{Name: "Towel", Type: cohort.ProductPhysical}}}
		_, err := svc.ImportCatalog(t.Context(), "a", func() (item cohort.CatalogItem, err error) {
			if len(items) == 0 {
				return item, io.EOF
			}
			item, items = items[0], items[1:]
			return item, nil
		}, false)
		if err != nil {
			t.Fatal(err)
		}
		svc.Clocks().Clear("a")
		p, err := svc.Product(t.Context(), "a", 7)
		if !p.DateCreated.Equal(future) || !p.DateModified.Equal(future) || err != nil {
			t.Errorf("the product is created %v and modified %v, error %v", p.DateCreated, p.DateModified, err)
		}
		if _, err := svc.UpdateProduct(t.Context(), "a", 7, cohort.ProductUpdate{Name: new("Bath towel")}); err != nil {
			t.Error(err)
		}
	})
}

// The first time that a clock can show is no sign of a missing date.
func TestFirstTimeOfAClock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		if err := svc.Clocks().Freeze("a", storeclock.Min); err != nil {
			t.Fatal(err)
		}
		a := &dated{Service: svc, store: "a"}
		a.create(t)
		wantDates(t, d, "a", storeclock.Min, storeclock.Min)
		if err := svc.DeleteAttributes(t.Context(), "a", []int64{a.attribute}); err != nil {
			t.Fatal(err)
		}
		var left collected[cohort.Attribute]
		if n, err := svc.ReadAttributes(t.Context(), "a", cohort.AttributeFilter{}, cohort.Page{Number: 1, Size: 10}, &left); n != 0 || err != nil {
			t.Errorf("%d attributes are left, error %v", n, err)
		}
		fill(t, d, "a", 0, 1000)
		if err := svc.DeleteStore(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if _, err := svc.Store(t.Context(), "a"); cohort.KindOf(err) != cohort.KindNotFound {
			t.Errorf("the store is deleted: error %v", err)
		}
		if deleted, err := svc.DeletedStores(t.Context()); len(deleted) != 1 || err != nil {
			t.Errorf("stores to sweep: %v, error %v", deleted, err)
		}
	})
}

// A store expires by its own clock, which goes with it.
func TestStoresExpireByTheirClock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, nil, service.WithClock(c.Now))
		for _, hash := range []string{"frozen", "ahead", "behind", "usual"} {
			if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: hash, DateExpires: t0.Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
		}
		ok := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		ok(svc.Clocks().Freeze("frozen", t0))
		ok(svc.Clocks().Advance("ahead", 59*time.Minute))
		ok(svc.Clocks().Offset("behind", -time.Hour))
		want := func(after string, hashes ...string) {
			t.Helper()
			if more, err := svc.DeleteExpiredStores(t.Context()); more || err != nil {
				t.Errorf("after %s: more %v, error %v", after, more, err)
			}
			stores, err := svc.ListStores(t.Context())
			if len(stores) != len(hashes) || err != nil {
				t.Fatalf("after %s: %v, error %v, want %v", after, stores, err, hashes)
			}
			for i, st := range stores {
				if st.Hash != hashes[i] {
					t.Errorf("after %s: %v, want %v", after, stores, hashes)
				}
			}
		}
		want("nothing", "ahead", "behind", "frozen", "usual")
		ok(svc.Clocks().Advance("ahead", time.Minute))
		want("an advance of a minute", "behind", "frozen", "usual")
		c.Set(t0.Add(time.Hour))
		want("an hour", "behind", "frozen")
		c.Set(t0.Add(2 * time.Hour))
		want("two hours", "frozen")
		if times := svc.Clocks().Times(t0); len(times) != 1 {
			t.Errorf("the clocks are %v", times)
		}
		svc.Clocks().Clear("frozen")
		want("its clock is reset")
	})
}

// A deleted store takes its clock with it. A later store of the same hash has that of the
// system.
func TestDeletedStoreHasNoClock(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		if err := svc.Clocks().Freeze("a", t0.AddDate(1, 0, 0)); err != nil {
			t.Fatal(err)
		}
		if err := svc.DeleteStore(t.Context(), "missing"); cohort.KindOf(err) != cohort.KindNotFound || svc.Now("a").Equal(t0) {
			t.Errorf("the clock shows %v, error %v", svc.Now("a"), err)
		}
		if err := svc.DeleteStore(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		next, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a"})
		if err != nil {
			t.Fatal(err)
		}
		if g := mustCreate(t, svc, next.Key, cohort.Group{Name: "x"}); !g.DateCreated.Equal(t0) || svc.Clocks().Times(t0) != nil {
			t.Errorf("a group is created %v, the clocks are %v", g.DateCreated, svc.Clocks().Times(t0))
		}
	})
}
