package db_test

import "cohort.example/cohort/internal/dbtest"

// Short names for the fixtures that the tests share with other packages.
var (
	update         = dbtest.Update
	view           = dbtest.View
	addStores      = dbtest.AddStores
	newGroup       = dbtest.NewGroup
	addGroups      = dbtest.AddGroups
	addNext        = dbtest.AddNext
	listGroups     = dbtest.ListGroups
	countGroups    = dbtest.CountGroups
	settled        = dbtest.Settled
	idsOf          = dbtest.IDsOf
	wantGroups     = dbtest.WantGroups
	wantKind       = dbtest.WantKind
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
