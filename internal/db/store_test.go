package db_test

import (
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

// fullProfile and otherProfile have a value in every field.
var (
	fullProfile = cohort.StoreProfile{
		Name: "It's \u65e5", Domain: "shop.example.com", Timezone: "America/Chicago", Email: "a@example.com", FirstName: "Jane", LastName: "Doe",
		Phone: "1", Address: "1 Main Street\nAustin", AddressType: cohort.StoreRetail, Country: "Germany", Language: "de-at",
		LanguageSelection: cohort.LanguageOfBrowser,
	}
	otherProfile = cohort.StoreProfile{
		Name: "B", Domain: "b.example.com", Timezone: "UTC", Email: "b@example.com", FirstName: "C", LastName: "D",
		Phone: "2", Address: "E", AddressType: cohort.StoreWarehouse, Country: "France", Language: "fr",
		LanguageSelection: cohort.LanguageOfStore,
	}
)

func TestStores(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		wantStores(t, d)
		b := cohort.Store{Hash: "b", Profile: otherProfile, Plan: cohort.PlanPro, Quota: cohort.MaxQuota, Concurrency: cohort.MaxConcurrency, DateCreated: t0, DateExpires: t0.Add(time.Hour)}
		a := cohort.Store{Hash: "a", Plan: cohort.PlanUnlimited, DateCreated: t0}
		for _, s := range []cohort.Store{b, a} {
			update(t, d, func(tx *db.Tx) error { return tx.InsertStore(s) })
		}
		wantStores(t, d, a, b)
		wantKind(t, d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertStore(a) }), cohort.KindConflict)

		changed := cohort.Store{Hash: "b", Plan: cohort.PlanEnterprise, Quota: 7, Concurrency: 3, Profile: fullProfile, DateCreated: t0.AddDate(1, 0, 0)}
		update(t, d, func(tx *db.Tx) error { return tx.UpdateStore(changed, changed) })
		changed.DateCreated, changed.DateExpires = t0, t0.Add(time.Hour) // an update does not change them
		wantStores(t, d, a, changed)

		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("a") })
		wantStores(t, d, changed)
	})
}

// During an upgrade, nodes of an older version create stores without a profile, and
// change the settings of stores that have one, with these statements.
func TestOlderVersionWritesStores(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		update(t, d, func(tx *db.Tx) error {
			return tx.InsertStore(cohort.Store{Hash: "b", Profile: fullProfile, DateCreated: t0})
		})
		update(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec("INSERT INTO stores (hash, public_hash, plan, quota, at_once, catalog, currency, date_created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
				"a", "a", cohort.PlanPro, 0, 0, cohort.CatalogExternal, "USD", t0.UnixMilli())
			return err
		})
		update(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec("UPDATE stores SET plan = $2, quota = $3, at_once = $4, catalog = $5, currency = $6 WHERE hash = $1 AND date_deleted = 0",
				"b", cohort.PlanPlus, 0, 0, cohort.CatalogManaged, "EUR")
			return err
		})
		a := cohort.Store{Hash: "a", Plan: cohort.PlanPro, Catalog: cohort.CatalogExternal, Currency: "USD", DateCreated: t0}
		b := cohort.Store{Hash: "b", Plan: cohort.PlanPlus, Catalog: cohort.CatalogManaged, Currency: "EUR", Profile: fullProfile, DateCreated: t0}
		wantStores(t, d, a, b)
	})
}

func TestStoreNotFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		for name, fn := range map[string]func(tx *db.Tx) error{
			"get":    func(tx *db.Tx) error { _, err := tx.Store("A"); return err },
			"update": func(tx *db.Tx) error { return tx.UpdateStore(cohort.Store{}, cohort.Store{Hash: "A"}) },
			"delete": func(tx *db.Tx) error { return tx.DeleteStore("A") },
		} {
			if err := d.Update(t.Context(), fn); cohort.KindOf(err) != cohort.KindNotFound {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

// TestListStoresSortsByByte checks that no engine sorts by the collation of a
// language.
func TestListStoresSortsByByte(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		sorted := []string{"", "-", "-a", "0", "10", "2", "Z", "_", "a", "a-b", "a0", "a_", "aa", "b", "é"}
		addStores(t, d, "a_", "é", "b", "aa", "a-b", "a0", "a", "_", "Z", "2", "10", "0", "-a", "-", "")
		var got []string
		view(t, d, func(tx *db.Tx) error {
			stores, err := tx.ListStores()
			for _, s := range stores {
				got = append(got, s.Hash)
			}
			return err
		})
		if diff := cmp.Diff(sorted, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestDeleteStoreDeletesItsRows checks that a new store with the hash of a deleted
// one has neither its groups, nor its tokens, nor its id counters.
func TestDeleteStoreDeletesItsRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		for _, store := range []string{"a", "b"} {
			update(t, d, func(tx *db.Tx) error { return addNext(tx, store, "x") })
			update(t, d, func(tx *db.Tx) error { return tx.InsertToken(newToken(store, "secret of "+store)) })
		}
		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("a") })
		wantTokens(t, d, "", newToken("b", "secret of b"))

		addStores(t, d, "a")
		wantGroups(t, d, "a")
		wantTokens(t, d, "a")
		update(t, d, func(tx *db.Tx) error { return addNext(tx, "a", "new") })
		wantGroups(t, d, "a", newGroup(1, "new"))
		wantGroups(t, d, "b", newGroup(1, "x"))
	})
}

// fillStore adds a store with two groups, three customers and an address.
func fillStore(t *testing.T, d *db.DB, store string) {
	t.Helper()
	addStores(t, d, store)
	byDefault := newGroup(2, "default")
	byDefault.IsDefault = true
	addGroups(t, d, store, newGroup(1, "first"), byDefault)
	for group := range int64(3) {
		update(t, d, func(tx *db.Tx) error {
			id, err := tx.NextID(store, "customer")
			if err != nil {
				return err
			}
			return tx.InsertCustomer(store, newCustomer(id, group), "hash of "+store)
		})
	}
	update(t, d, func(tx *db.Tx) error {
		id, err := tx.NextID(store, "customer_address")
		if err != nil {
			return err
		}
		return tx.InsertAddress(store, newAddress(id, 1))
	})
}

// wantFilled fails unless the store has exactly the rows that fillStore adds.
func wantFilled(t *testing.T, d *db.DB, store string) {
	t.Helper()
	wantCustomers(t, d, store, newCustomer(1, 0), newCustomer(2, 1), newCustomer(3, 2))
	wantPasswordHash(t, d, store, 1, "hash of "+store)
	wantAddresses(t, d, store, 1, newAddress(1, 1))
	wantMembers(t, d, store, map[int64]int64{1: 1, 2: 1})
	view(t, d, func(tx *db.Tx) error {
		owners, err := tx.CustomerIDsByEmails(store, []string{newCustomer(1, 0).Email})
		if id := owners[db.Fold(newCustomer(1, 0).Email)]; id != 1 || err != nil {
			t.Errorf("the email of customer 1 of %s belongs to %d (%v)", store, id, err)
		}
		return err
	})
	// These two methods lock rows, so they need a writing transaction.
	update(t, d, func(tx *db.Tx) error {
		defaults, err := tx.DefaultGroupsOfChannels(store, []int64{1})
		if byDefault := defaults[1]; byDefault != 2 || err != nil {
			t.Errorf("the default group of %s is %d (%v)", store, byDefault, err)
		}
		for group, want := range map[int64]bool{0: false, 1: true, 2: true, 3: false} {
			if has, err := tx.HasGroup(store, group); has != want || err != nil {
				t.Errorf("%s has group %d: %v (%v)", store, group, has, err)
			}
		}
		return nil
	})
}

// TestCustomersOfTwoStores checks that writes in one store do not change another
// store with the same ids, emails and groups.
func TestCustomersOfTwoStores(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		fillStore(t, d, "a")
		fillStore(t, d, "b")
		for i, fn := range []func(*db.Tx) error{
			func(tx *db.Tx) error { return tx.UpdateCustomer("a", newCustomer(1, 0), fullCustomer(1), "new") },
			func(tx *db.Tx) error { return deleteCustomer(tx, "a", 2) },
			func(tx *db.Tx) error { return tx.UpdateAddress("a", cohort.Address{}, fullAddress(1, 1)) },
			func(tx *db.Tx) error { return tx.DeleteAddresses("a", 1) },
			func(tx *db.Tx) error { _, err := deleteGroup(tx, "a", 2, 1); return err },
		} {
			if err := d.Update(t.Context(), fn); err != nil {
				t.Errorf("change %d: %v", i, err)
			}
			wantFilled(t, d, "b")
		}

		// A new store with the hash of a deleted one begins empty.
		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("a") })
		wantFilled(t, d, "b")
		fillStore(t, d, "a")
		wantFilled(t, d, "a")
	})
}

func TestGroupsOfTwoStores(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		// Ids and flags are unique only within a store.
		ofA, ofB := fullGroup(1), fullGroup(1)
		ofB.Name = "of b"
		addGroups(t, d, "a", ofA)
		addGroups(t, d, "b", ofB, newGroup(2, "second of b"))
		wantGroups(t, d, "a", ofA)
		wantGroups(t, d, "b", ofB, newGroup(2, "second of b"))
		if n := countGroups(t, d, "a", allGroups); n != 1 {
			t.Errorf("a has %d groups", n)
		}

		later := t0.Add(time.Hour)
		update(t, d, func(tx *db.Tx) error { return tx.ClearDefaultGroup("a", later) })
		update(t, d, func(tx *db.Tx) error { return tx.ClearGuestGroup("a", later) })
		ofA.IsDefault, ofA.IsGroupForGuests, ofA.DateModified = false, false, later
		wantGroups(t, d, "a", ofA)
		wantGroups(t, d, "b", ofB, newGroup(2, "second of b"))

		update(t, d, func(tx *db.Tx) error { return tx.DeleteStore("a") })
		wantGroups(t, d, "a")
		wantGroups(t, d, "b", ofB, newGroup(2, "second of b"))
	})
}
