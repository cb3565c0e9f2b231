package txn_test

import (
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/txn"
)

// What the tests share with those of other packages, by short names.
var (
	update         = dbtest.Update
	view           = dbtest.View
	addStores      = dbtest.AddStores
	newGroup       = dbtest.NewGroup
	addGroups      = dbtest.AddGroups
	addNext        = dbtest.AddNext
	addGroup       = dbtest.AddGroup
	listGroups     = dbtest.ListGroups
	countGroups    = dbtest.CountGroups
	settled        = dbtest.Settled
	idsOf          = dbtest.IDsOf
	wantGroups     = dbtest.WantGroups
	wantKind       = dbtest.WantKind
	doorsOf        = dbtest.DoorsOf
	everything     = dbtest.Everything
	onePage        = dbtest.OnePage
	everybody      = dbtest.Everybody
	newCustomer    = dbtest.NewCustomer
	addCustomers   = dbtest.AddCustomers
	changeCustomer = dbtest.ChangeCustomer
	listCustomers  = dbtest.ListCustomers
	countCustomers = dbtest.CountCustomers
	fullGroup      = dbtest.FullGroup
	wantStores     = dbtest.WantStores
	tokenOf        = dbtest.TokenOf
	errOurs        = dbtest.ErrOurs
	t0             = dbtest.T0
)

// openWith opens a database and passes each statement of the writer to a function
// of the test; see [txn.OpenWith].
func openWith(t testing.TB, url string, each func(txn.Statement) error) *db.DB {
	t.Helper()
	return db.New(txn.OpenWith(t, url, db.Migrations(), each))
}
