package txn_test

import (
	"flag"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"
	"cohort.example/cohort/internal/txn"

	"github.com/google/go-cmp/cmp"
)

// Short names for what the tests use from package dbtest.
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
	flush          = dbtest.Flush
	groupIDs       = dbtest.GroupIDs
	wantGroups     = dbtest.WantGroups
	wantKind       = dbtest.WantKind
	txFuncs        = dbtest.TxFuncs
	allGroups      = dbtest.AllGroups
	onePage        = dbtest.OnePage
	allCustomers   = dbtest.AllCustomers
	newCustomer    = dbtest.NewCustomer
	addCustomers   = dbtest.AddCustomers
	changeCustomer = dbtest.ChangeCustomer
	listCustomers  = dbtest.ListCustomers
	countCustomers = dbtest.CountCustomers
	fullGroup      = dbtest.FullGroup
	wantStores     = dbtest.WantStores
	newToken       = dbtest.NewToken
	errTest        = dbtest.ErrTest
	t0             = dbtest.T0
)

// Model tests run fewer histories in the short form. The flag on the command line wins.
func init() {
	dbtest.EveryEngineWithRace = true
	if err := flag.Set("rapid.checks", testenv.Times("100", "25")); err != nil {
		panic(err)
	}
}

// openWith opens a database whose writer passes each statement to a function of the
// test; see [txn.OpenWith].
func openWith(t testing.TB, url string, each func(txn.Statement) error) *db.DB {
	t.Helper()
	return db.New(txn.OpenWith(t, url, db.Schema(), each))
}

func wantEqual(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
