package db_test

import (
	"flag"

	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"
)

// Property tests run fewer checks in the short form. The flag on the command line wins.
func init() {
	if err := flag.Set("rapid.checks", testenv.Times("100", "25")); err != nil {
		panic(err)
	}
}

// Short names for the fixtures that the tests share with other packages.
var (
	update         = dbtest.Update
	view           = dbtest.View
	addStores      = dbtest.AddStores
	newGroup       = dbtest.NewGroup
	addGroups      = dbtest.AddGroups
	addOldGroups   = dbtest.AddOldGroups
	addNext        = dbtest.AddNext
	listGroups     = dbtest.ListGroups
	countGroups    = dbtest.CountGroups
	flush          = dbtest.Flush
	groupIDs       = dbtest.GroupIDs
	wantGroups     = dbtest.WantGroups
	wantKind       = dbtest.WantKind
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
