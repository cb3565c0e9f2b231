package dbtest

import (
	gocmp "cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
)

// T0 is the creation date of the fixtures.
var T0 = time.Date(2024, 2, 29, 12, 30, 45, 678_000_000, time.UTC)

// AllGroups is the filter that all groups pass, and OnePage a page that is large
// enough for the lists of the tests.
var (
	AllGroups = cohort.GroupFilter{}
	OnePage   = cohort.Page{Number: 1, Size: 1000}
)

// TxFunc runs a transaction: [db.DB.Update] or [db.DB.View].
type TxFunc = func(context.Context, func(*db.Tx) error) error

// TxFuncs returns Update and View of a database by name, for tests of properties
// that both have.
func TxFuncs(d *db.DB) map[string]TxFunc {
	return map[string]TxFunc{"Update": d.Update, "View": d.View}
}

// Update runs fn in a writing transaction, and fails the test on an error.
func Update(t testing.TB, d *db.DB, fn func(*db.Tx) error) {
	t.Helper()
	if err := d.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// View runs fn in a read-only transaction, and fails the test on an error.
func View(t testing.TB, d *db.DB, fn func(*db.Tx) error) {
	t.Helper()
	if err := d.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// AddStores adds stores with these hashes.
func AddStores(t testing.TB, d *db.DB, hashes ...string) {
	t.Helper()
	for _, hash := range hashes {
		Update(t, d, func(tx *db.Tx) error {
			return tx.InsertStore(cohort.Store{Hash: hash, Plan: cohort.PlanUnlimited, DateCreated: T0})
		})
	}
}

// NewGroup returns a valid group without rules and flags.
func NewGroup(id int64, name string) cohort.Group {
	return cohort.Group{
		ID: id, Name: name, CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll},
		DateCreated: T0, DateModified: T0,
	}
}

// AddGroups adds groups to a store under their own ids.
func AddGroups(t testing.TB, d *db.DB, store string, groups ...cohort.Group) {
	t.Helper()
	for _, g := range groups {
		Update(t, d, func(tx *db.Tx) error { return tx.InsertGroup(store, g) })
	}
}

// AddOldGroups is AddGroups for a store from before names were unique: groups may have
// one name. The first of them has the name_copy 0, as after the migration.
func AddOldGroups(t testing.TB, d *db.DB, store string, groups ...cohort.Group) {
	t.Helper()
	Update(t, d, func(tx *db.Tx) error {
		named := map[string]bool{}
		for _, g := range groups {
			name, folded := g.Name, db.Fold(g.Name)
			g.Name = fmt.Sprint("not yet named ", g.ID)
			if err := tx.InsertGroup(store, g); err != nil {
				return err
			}
			nameCopy := int64(0)
			if named[folded] {
				nameCopy = g.ID
			}
			named[folded] = true
			_, err := tx.Exec("UPDATE customer_groups SET name = $3, name_folded = $4, name_copy = $5 WHERE store_hash = $1 AND id = $2",
				store, g.ID, name, folded, nameCopy)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// AddNext adds a group under the next id, as the service does.
func AddNext(tx *db.Tx, store, name string) error {
	id, err := tx.NextID(store, "customer_group")
	if err != nil {
		return err
	}
	return tx.InsertGroup(store, NewGroup(id, name))
}

// AddGroup adds a group under the next id, which it returns.
func AddGroup(t testing.TB, d *db.DB, store, name string) (id int64) {
	t.Helper()
	Update(t, d, func(tx *db.Tx) (err error) {
		if id, err = tx.NextID(store, "customer_group"); err != nil {
			return err
		}
		return tx.InsertGroup(store, NewGroup(id, name))
	})
	return id
}

// ListGroups returns a page of a store's groups.
func ListGroups(t testing.TB, d *db.DB, store string, f cohort.GroupFilter, p cohort.Page) (groups []cohort.Group) {
	t.Helper()
	View(t, d, func(tx *db.Tx) (err error) {
		groups, err = tx.ListGroups(store, f, p)
		return err
	})
	return groups
}

// CountGroups returns how many groups of a store pass a filter.
func CountGroups(t testing.TB, d *db.DB, store string, f cohort.GroupFilter) (n int64) {
	t.Helper()
	View(t, d, func(tx *db.Tx) (err error) {
		n, err = tx.CountGroups(store, f)
		return err
	})
	return n
}

// Flush runs the statements that [txn.Tx.Later] has deferred, which otherwise may
// run as late as the commit.
func Flush(tx *db.Tx) error {
	_, err := tx.Exec("UPDATE stores SET plan = plan WHERE FALSE")
	return err
}

// GroupIDs returns the ids of groups, in the order of the groups.
func GroupIDs(groups []cohort.Group) []int64 {
	ids := make([]int64, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	return ids
}

// WantGroups fails unless the store has exactly these groups.
func WantGroups(t testing.TB, d *db.DB, store string, want ...cohort.Group) {
	t.Helper()
	if diff := cmp.Diff(want, ListGroups(t, d, store, AllGroups, OnePage), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("groups of %s (-want +got):\n%s", store, diff)
	}
}

// WantKind fails the test unless err is a cohort.Error of the kind.
func WantKind(t testing.TB, err error, want cohort.Kind) {
	t.Helper()
	if err == nil || cohort.KindOf(err) != want {
		t.Errorf("got error %v of kind %v, want kind %v", err, cohort.KindOf(err), want)
	}
}

// AllCustomers is the filter that all customers pass.
var AllCustomers = cohort.CustomerFilter{}

// NewCustomer returns a customer with an email that depends only on the id.
func NewCustomer(id, group int64) cohort.Customer {
	return cohort.Customer{
		ID: id, FirstName: "Ada", LastName: "Lovelace", Email: strings.Repeat("x", int(id%40)) + decimal.NewFromInt(id).String() + "@example.com",
		GroupID: group, DateCreated: T0, DateModified: T0,
	}
}

// AddCustomers adds customers whose password has the hash "hash".
func AddCustomers(t testing.TB, d *db.DB, store string, customers ...cohort.Customer) {
	t.Helper()
	Update(t, d, func(tx *db.Tx) error {
		for _, c := range customers {
			if err := tx.InsertCustomer(store, c, "hash"); err != nil {
				return err
			}
		}
		return nil
	})
}

// ChangeCustomer reads a customer, changes it and writes it, as the service does.
func ChangeCustomer(tx *db.Tx, store string, id int64, change func(*cohort.Customer)) error {
	before, err := tx.Customer(store, id)
	if err != nil {
		return err
	}
	after := before
	change(&after)
	return tx.UpdateCustomer(store, before, after, "")
}

// Customers returns the customers of a page that pass a filter, read in tx.
func Customers(tx *db.Tx, store string, f cohort.CustomerFilter, p cohort.Page) (customers []cohort.Customer, err error) {
	err = tx.ReadCustomers(store, f, p, func(c cohort.CustomerDetail) bool {
		customers = append(customers, c.Customer)
		return true
	})
	return customers, err
}

// ListCustomers returns the customers of a store that pass a filter.
func ListCustomers(t testing.TB, d *db.DB, store string, f cohort.CustomerFilter) (customers []cohort.Customer) {
	t.Helper()
	View(t, d, func(tx *db.Tx) (err error) {
		customers, err = Customers(tx, store, f, cohort.Page{Number: 1, Size: 100_000})
		return err
	})
	return customers
}

// CountCustomers returns how many customers of a store pass a filter.
func CountCustomers(t testing.TB, d *db.DB, store string, f cohort.CustomerFilter) (n int64) {
	t.Helper()
	View(t, d, func(tx *db.Tx) (err error) {
		n, err = tx.CountCustomers(store, f)
		return err
	})
	return n
}

// FullGroup returns a group with an unusual value in every field.
func FullGroup(id int64) cohort.Group {
	amount := decimal.RequireFromString
	return cohort.Group{
		ID:             id,
		Name:           `O'Neil & "Söhne" 🛒 $1 ? % _ \ ` + strings.Repeat("x", 200),
		CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{9, math.MaxInt64, 1}},
		DiscountRules: []cohort.DiscountRule{
			{Type: cohort.RuleProduct, TargetID: math.MaxInt64, Method: cohort.MethodFixed, Amount: amount("9999999999999999.9999")},
			{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: amount("0.1")},
			{Type: cohort.RuleCategory, TargetID: 3, Method: cohort.MethodPrice, Amount: amount("0")},
			{Type: cohort.RuleCategory, TargetID: 1, Method: cohort.MethodPrice, Amount: amount("1e2")},
		},
		IsDefault:        true,
		IsGroupForGuests: true,
		DateCreated:      T0,
		DateModified:     T0.Add(time.Millisecond),
	}
}

// WantStores fails the test unless the database has exactly these stores.
func WantStores(t testing.TB, d *db.DB, want ...cohort.Store) {
	t.Helper()
	want = slices.Clone(want)
	for i := range want {
		want[i].Key = gocmp.Or(want[i].Key, want[i].Hash) // as for the first store of a hash
	}
	View(t, d, func(tx *db.Tx) error {
		got, err := tx.ListStores()
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("stores (-want +got):\n%s", diff)
		}
		return err
	})
}

// NewToken returns a token of a store with this secret.
func NewToken(store, secret string) cohort.Token {
	k := cohort.NewToken(secret)
	k.StoreKey, k.Name, k.Scopes, k.DateCreated = store, "CI", cohort.Scopes(), T0
	return k
}

// ErrTest is an error that tests return from a transaction to roll it back.
var ErrTest = errors.New("test")
