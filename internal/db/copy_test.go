package db_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// eachPair runs fn for every pair of engines: from is a database with rows in every
// table, to is an empty one.
func eachPair(t *testing.T, fn func(t *testing.T, from, to *db.DB)) {
	t.Helper()
	engines := map[string]func(testing.TB) string{"sqlite": dbtest.MigratedSQLiteURL, "postgres": dbtest.MigratedPostgresURL}
	for source, fromURL := range engines {
		for target, toURL := range engines {
			t.Run(source+" to "+target, func(t *testing.T) {
				t.Parallel()
				from := dbtest.Open(t, fromURL(t))
				fillInstallation(t, from)
				fn(t, from, dbtest.Open(t, toURL(t)))
			})
		}
	}
}

// fillHooks adds a row to each table of webhooks.
func fillHooks(tx *db.Tx, store string) error {
	for _, rows := range []string{
		"hooks VALUES ($1, 1, 'token', 'store/customer/*', 'https://example.com/日', TRUE, FALSE, '{\"a\":\"b\"}', 5, 6)",
		"hook_contacts VALUES ($1, 'token', '[\"a@example.com\"]')",
		"client_secrets VALUES ($1, 'token', 'it''s', 5, 6)",
		"hook_positions VALUES ($1, 1, 7, 8)",
		"hook_dispatch VALUES ($1, 9)",
		"hook_deliveries VALUES ($1, 1, 1, 7, 'customer 3', 'store/customer/created', '{}', 'waiting', 2, 3, 500, '{}', 'it''s', 'e', 4, 5, 6)",
		"hook_blocks VALUES ($1, 'token', 'example.com', 5, '[]')",
	} {
		if _, err := tx.Exec("INSERT INTO "+rows, store); err != nil {
			return err
		}
	}
	return nil
}

func fillInstallation(t *testing.T, d *db.DB) {
	t.Helper()
	addStores(t, d, "a", "b")
	update(t, d, func(tx *db.Tx) error {
		st, err := tx.StoreForUpdate("a")
		if err != nil {
			return err
		}
		st.Profile, st.Events = fullProfile, true
		if _, err := tx.Exec("UPDATE stores SET date_expires = 7 WHERE hash = 'b'"); err != nil {
			return err
		}
		return tx.UpdateStore(st, st)
	})
	for _, store := range []string{"a", "b"} {
		addGroups(t, d, store, fullGroup(1), newGroup(2, "it's \"quoted\"; $1 ?\t\n 日本語 😀"), newGroup(3, "leaves"))
		addCustomers(t, d, store, fullCustomer(1))
		addMembers(t, d, store, 3, 100, 130)
		addAddresses(t, d, store, fullAddress(1, 1), newAddress(2, 1))
		update(t, d, func(tx *db.Tx) error {
			_, err := deleteGroup(tx, store, 3, 5)
			return err
		})
		update(t, d, func(tx *db.Tx) error { return fillCustomerData(tx, store) })
		update(t, d, func(tx *db.Tx) error { return fillPrices(tx, store) })
		update(t, d, func(tx *db.Tx) error { return fillOptions(tx, store) })
		update(t, d, func(tx *db.Tx) error { return fillChannels(tx, store) })
		update(t, d, func(tx *db.Tx) error { return fillCategoryTrees(tx, store) })
		update(t, d, func(tx *db.Tx) error {
			_, err := tx.NextStoreKey(store)
			return err
		})
		addSegments(t, d, store, 3)
		addProfiles(t, d, store, 1, 100)
		join(t, d, store, 1, 1, 100)
		update(t, d, func(tx *db.Tx) error { return tx.DeleteAllShopperProfiles(store) })
		addProfiles(t, d, store, 101)
		join(t, d, store, 3, 101)
		update(t, d, func(tx *db.Tx) error {
			_, err := tx.CreateMetafields(store, []cohort.Metafield{fullMetafield(1)})
			return err
		})
		keepAnswer(t, d, newKey(store, "it's 1"), newAnswer(`{"name":"日"}`))
		update(t, d, func(tx *db.Tx) error { return fillHooks(tx, store) })
	}
	update(t, d, addAbandonedImport)
	putJob(t, d, "a", "7", "a worker", jobTime)
	putJob(t, d, "b", "8", "", jobTime)
	update(t, d, func(tx *db.Tx) error {
		_, err := tx.NextID("a", "customer_group")
		if err != nil {
			return err
		}
		token := cohort.NewToken("a secret")
		token.StoreKey, token.Scopes = "a", cohort.Scopes()
		token.DateExpires = jobTime.Add(time.Hour)
		if err := tx.InsertToken(token); err != nil {
			return err
		}
		if err := tx.TouchToken(token.Hash, jobTime); err != nil {
			return err
		}
		if err := tx.RotateToken(token.ID, cohort.HashTokenSecret("next"), jobTime.Add(2*time.Hour), jobTime, jobTime.Add(time.Minute)); err != nil {
			return err
		}
		operator := cohort.NewOperator("a secret")
		operator.Name, operator.ReadOnly = "Änn", true
		if err := tx.InsertOperator(operator); err != nil {
			return err
		}
		return tx.BeginSession("a session", operator.ID, jobTime, 1)
	})
	saveSnapshot(t, d, "b", "base")
	recordGroups(t, d, "a", 50)
	readEvents(t, d, "a", 0)
}

// recordGroups adds groups in transactions that record them.
func recordGroups(t testing.TB, d *db.DB, store string, ids ...int64) {
	t.Helper()
	for _, id := range ids {
		err := d.Update(recorded(t.Context()), func(tx *db.Tx) error { return tx.InsertGroup(store, newGroup(id, fmt.Sprint("recorded ", id))) })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// addAbandonedImport adds a row to each table of an import.
func addAbandonedImport(tx *db.Tx) error {
	for _, query := range []string{
		"INSERT INTO catalog_imports VALUES ('a', 'abandoned', 'an owner', 17)",
		"INSERT INTO incoming_categories VALUES ('a', 20, 18, 'Roof', 'roof')",
		"INSERT INTO incoming_products VALUES ('a', 78, 'Tile', 'tile', 'physical', 'T-2', 1, 2, 3, 4, 5, '[]', 72, 6, 7)",
		"INSERT INTO incoming_product_categories VALUES ('a', 78, 20, 0)",
		"INSERT INTO incoming_variants VALUES ('a', 72, 78, 'T-2', -1, -1, -1, -1, '[]')",
		`INSERT INTO incoming_category_details VALUES ('a', 20, FALSE, 3, 'Up', 'up', '/roof/', '{"page_title":"Up"}', 19)`,
		`INSERT INTO incoming_product_details VALUES ('a', 78, 4, TRUE, FALSE, TRUE, 'Used', 'preorder', 'product', 5, 6, '1', '2', '{"upc":"1"}', 11)`,
		`INSERT INTO incoming_variant_details VALUES ('a', 72, '2', '{"upc":"2"}', 11)`,
	} {
		if _, err := tx.Exec(query); err != nil {
			return err
		}
	}
	return nil
}

// fillCustomerData adds rows to each table with data of customer 1 and address 1,
// including a deleted attribute.
func fillCustomerData(tx *db.Tx, store string) error {
	if _, err := tx.CreateAttributes(store, []cohort.Attribute{
		newAttribute("Größe", cohort.AttributeString), newAttribute("gone", cohort.AttributeDate),
	}); err != nil {
		return err
	}
	return errors.Join(
		tx.PutAttributeValues(store, []cohort.AttributeValue{newAttributeValue(0, 1, 1, "L"), newAttributeValue(0, 1, 2, "2024-02-29")}, nil),
		tx.DeleteAttributes(store, []int64{2}, t0),
		tx.PutFormFields(store, []cohort.FormField{
			newFormField(0, 1, 0, "Color", cohort.FormValue{Type: cohort.FormText, Text: "blue"}),
			newFormField(0, 0, 1, "Gates", cohort.FormValue{Type: cohort.FormCheckboxes, List: []string{"north", "日本"}}),
		}),
		tx.PutConsent(store, 1, cohort.Consent{Allow: []cohort.ConsentCategory{cohort.ConsentEssential}}),
	)
}

// fillPrices adds rows to each table with prices, including the highest price and
// prices that are not set.
func fillPrices(tx *db.Tx, store string) error {
	tiers := []cohort.BulkTier{{QuantityMin: 2, QuantityMax: 9, Method: cohort.MethodPercent, Amount: decimal.RequireFromString("7.5")}}
	some, most := decimal.RequireFromString("10.7801"), decimal.NewNullDecimal(decimal.RequireFromString("99999999999999.9999"))
	return errors.Join(
		tx.InsertCategory(store, cohort.Category{ID: 18, Name: "Garden \u65e5"}),
		tx.InsertCategory(store, cohort.Category{ID: 19, ParentID: 18, Name: "Bath", Details: cohort.Details{"custom_url": json.RawMessage(`{"url":"/日/"}`)}}),
		tx.InsertProduct(store, cohort.Product{
			ID: 77, Name: "Towel", Type: cohort.ProductPhysical, SKU: "T-1", Weight: some, Price: most.Decimal, SalePrice: some,
			Categories: []int64{19, 18}, BulkTiers: tiers, BaseVariantID: 70, DateCreated: t0, DateModified: t0,
			BrandID: 7, Details: cohort.Details{"is_visible": json.RawMessage("false"), "upc": json.RawMessage(`"日"`)},
		}),
		tx.InsertVariant(store, cohort.Variant{ID: 70, ProductID: 77, SKU: "T-1"}),
		tx.InsertVariant(store, cohort.Variant{ID: 71, ProductID: 77, Price: most, OptionValues: []cohort.OptionValue{{OptionID: 1, ValueID: 2}}, Details: cohort.Details{
			"upc": json.RawMessage(`"日"`), "weight": json.RawMessage("null"),
		}}),
		tx.PutProductPlaces(store, 19, []cohort.ProductPlace{{ProductID: 77, Place: new(int64(5))}}),
		tx.AddProductChannels(store, []cohort.ProductAssignment{{ProductID: 77, TargetID: 3}}),
		tx.InsertBrand(store, cohort.Brand{ID: 7, Name: "It's", Details: cohort.Details{"page_title": json.RawMessage(`"日 <b>"`)}}),
		tx.InsertPriceList(store, cohort.PriceList{ID: 3, Name: "Wholesale", Active: true, DateCreated: t0, DateModified: t0}),
		tx.InsertPriceList(store, cohort.PriceList{ID: 5, Name: "It's off", DateCreated: t0, DateModified: t0}),
		tx.PutPriceRecords(store, nil, []cohort.PriceRecord{
			{PriceListID: 3, VariantID: 70, Currency: "USD", Price: most, BulkTiers: tiers, DateCreated: t0, DateModified: t0},
			{PriceListID: 3, VariantID: 71, Currency: "EUR", SalePrice: decimal.NewNullDecimal(some), DateCreated: t0, DateModified: t0},
		}),
		tx.InsertAssignment(store, cohort.PriceListAssignment{ID: 2, PriceListID: 3, GroupID: 2}),
		tx.InsertAssignment(store, cohort.PriceListAssignment{ID: 9, PriceListID: 3, ChannelID: 1}),
	)
}

// fillOptions adds an option and a modifier with a price adjuster to product 77.
func fillOptions(tx *db.Tx, store string) error {
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	_, err := tx.CreateOption(store, cohort.Option{
		ProductID: 77, DisplayName: "Größe", Type: "dropdown", Details: cohort.Details{"sort_order": raw("3")},
		Choices: []cohort.Choice{{Label: "日本"}, {Label: "M", IsDefault: true}},
	}, nil)
	if err != nil {
		return err
	}
	_, err = tx.CreateOption(store, cohort.Option{ProductID: 77, Kind: cohort.Modifier, DisplayName: "Gift", Type: "checkbox", Choices: []cohort.Choice{
		{Label: "Yes", Details: cohort.Details{"adjusters": raw(`{"price":{"adjuster":"percentage","adjuster_value":-7.5}}`)}},
	}}, nil)
	return err
}

// fillChannels adds a channel, and settings with groups, without groups, and unset.
func fillChannels(tx *db.Tx, store string) error {
	group, none, off, url := int64(1), int64(0), false, "https://shop.example/privacy"
	_, err := tx.CreateChannel(store, cohort.Channel{
		ExternalID: "it's", IsVisible: true, Status: cohort.ChannelConnected, Name: "Ebay", Type: cohort.ChannelMarketplace, Platform: "ebay",
		DateCreated: t0, DateModified: t0,
	})
	return errors.Join(
		err,
		tx.LockChannels(store),
		tx.PutCustomerSettings(store, cohort.CustomerSettings{}, cohort.CustomerSettings{AskConsent: &off, PolicyURL: &url}),
		putChannelSettings(tx, store, 1, cohort.CustomerSettings{DefaultGroupID: &none, GuestGroupID: &group, AllowGlobalLogins: &off}),
		putChannelSettings(tx, store, 2, cohort.CustomerSettings{DefaultGroupID: &group}),
	)
}

// fillCategoryTrees adds trees with a channel and without one, and moves category 18.
func fillCategoryTrees(tx *db.Tx, store string) error {
	if err := tx.LockCategoryTrees(store); err != nil {
		return err
	}
	_, err := tx.CreateCategoryTree(store, cohort.CategoryTree{Name: "It's \u65e5", ChannelID: 2})
	_, err2 := tx.CreateCategoryTree(store, cohort.CategoryTree{Name: "Left"})
	return errors.Join(err, err2, tx.SetTreeOfCategory(store, 18, 2), tx.SetTreeOfCategory(store, 19, 2))
}

// putChannelSettings writes all settings of a channel.
func putChannelSettings(tx *db.Tx, store string, channel int64, s cohort.CustomerSettings) error {
	return tx.PutChannelSettings(store, channel, cohort.CustomerSettings{}, s, cohort.CustomerSettingsUpdate{
		DefaultGroupID: cohort.Setting[int64]{Sent: true}, GuestGroupID: cohort.Setting[int64]{Sent: true},
	})
}

func dump(t *testing.T, d *db.DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	view(t, d, func(tx *db.Tx) error {
		for _, name := range db.CopiedTables() {
			all[name] = tx.Dump(t, name)
		}
		return nil
	})
	return all
}

func TestCopy(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to *db.DB) {
		var last, of int64
		counts, err := db.Copy(t.Context(), from, to, func(done, all int64) {
			if done < last || done > all {
				t.Errorf("%d of %d rows after %d", done, all, last)
			}
			last, of = done, all
		})
		if err != nil {
			t.Fatal(err)
		}
		if last != of || of == 0 {
			t.Errorf("progress ended at %d of %d", last, of)
		}
		want, got := dump(t, from), dump(t, to)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the copy (-want +got):\n%s", diff)
		}
		for _, c := range counts {
			if n := int64(len(want[c.Table])); n == 0 || c.From != n || c.To != n {
				t.Errorf("%+v, want %d rows", c, n)
			}
		}
		// The copy continues the ids of the original.
		update(t, to, func(tx *db.Tx) error {
			id, err := tx.NextID("a", "customer_group")
			if id != 2 {
				t.Errorf("the next id is %d", id)
			}
			return err
		})
	})
}

// TestCopyNumbersEvents checks that events that have no number yet have one in the copy,
// and that the copy continues the numbers.
func TestCopyNumbersEvents(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to *db.DB) {
		recordGroups(t, from, "a", 51, 52)
		update(t, from, func(tx *db.Tx) error {
			_, err := tx.Exec("UPDATE stores SET events = TRUE WHERE hash = 'b'")
			return err
		})
		recordGroups(t, from, "b", 51)
		if _, err := db.Copy(t.Context(), from, to, func(int64, int64) {}); err != nil {
			t.Fatal(err)
		}
		for _, store := range []string{"a", "b"} {
			copied := readEvents(t, to, store, 0)
			if diff := cmp.Diff(readEvents(t, from, store, 0), copied); diff != "" || len(copied) == 0 {
				t.Errorf("the events of %s (-original +copy):\n%s", store, diff)
			}
			recordGroups(t, to, store, 60)
			last := copied[len(copied)-1].Number
			if next := readEvents(t, to, store, last); len(next) != 1 || next[0].Number != last+1 {
				t.Errorf("after event %d of the copy of %s comes %+v", last, store, next)
			}
		}
	})
}

// TestCopyIsASnapshot checks that the copy does not contain changes made while it
// runs.
func TestCopyIsASnapshot(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to *db.DB) {
		want := dump(t, from)
		wrote := false
		_, err := db.Copy(t.Context(), from, to, func(int64, int64) {
			if wrote {
				return
			}
			wrote = true
			update(t, from, func(tx *db.Tx) error { return tx.DeleteStore("b") })
			addStores(t, from, "c")
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, dump(t, to)); diff != "" {
			t.Errorf("copied (-want +got):\n%s", diff)
		}
	})
}

func TestCopyToNonEmptyDatabase(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to *db.DB) {
		addStores(t, to, "existing")
		before := dump(t, to)
		_, err := db.Copy(t.Context(), from, to, func(int64, int64) { t.Error("Copy wrote rows") })
		wantKind(t, err, cohort.KindConflict)
		if diff := cmp.Diff(before, dump(t, to)); diff != "" {
			t.Errorf("changed (-before +after):\n%s", diff)
		}
	})
}

// TestCopyCancelled checks that a cancelled copy leaves no rows, and that another
// copy then succeeds.
func TestCopyCancelled(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to *db.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := db.Copy(ctx, from, to, func(int64, int64) { cancel() })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		for name, rows := range dump(t, to) {
			if len(rows) > 0 {
				t.Errorf("%s has %d rows", name, len(rows))
			}
		}
		if _, err := db.Copy(t.Context(), from, to, func(int64, int64) {}); err != nil {
			t.Error(err)
		}
	})
}

// TestCopyKnowsTheSchema fails when a migration adds a table or a column that Copy
// does not copy.
func TestCopyKnowsTheSchema(t *testing.T) {
	// Tables of goose, of connections, of SQLite and of sessions, one whose rows become
	// events, and views of Citus.
	notCopied := []string{"goose_db_version", "receipts", "sqlite_sequence", "event_inbox", "recent_changes", "server_runs", "console_sessions", "citus_tables", "citus_schemas"}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		view(t, d, func(tx *db.Tx) error {
			for name, columns := range tx.Schema(t) {
				want := columns
				if slices.Contains(notCopied, name) {
					want = nil
				}
				if diff := cmp.Diff(want, db.CopiedColumns(name)); diff != "" {
					t.Errorf("the columns of %s (-schema +copied):\n%s", name, diff)
				}
			}
			return nil
		})
	})
}

func BenchmarkCopy(b *testing.B) {
	from := dbtest.SQLite(b)
	addStores(b, from, "a")
	update(b, from, func(tx *db.Tx) error {
		for id := range int64(2_000) {
			if err := tx.InsertGroup("a", newGroup(id+1, fmt.Sprint("Group ", id))); err != nil {
				return err
			}
		}
		return nil
	})
	for b.Loop() {
		if _, err := db.Copy(b.Context(), from, dbtest.SQLite(b), func(int64, int64) {}); err != nil {
			b.Fatal(err)
		}
	}
}
