package txn_test

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
)

// A transaction that was sent in one message begins when that arrives. If the
// one who sent it has asked before what became of it and was told that nothing
// did, nothing may become of it any more.
func TestMessageThatArrivesAfterTheQuestion(t *testing.T) {
	t.Parallel()
	path := newLatePath(t, pgtest.Start(t, pgtest.Options{}))
	d := dbtest.Open(t, path.url(t))
	addStores(t, d, "a")
	update(t, d, func(tx *db.Tx) error { return addNext(tx, "a", "first") }) // prepares the statements
	for _, name := range []string{"second", "third"} {
		late := path.delay(name)
		update(t, d, func(tx *db.Tx) error { return addNext(tx, "a", name) })
		<-late.lost // else it was never late
		close(late.goOn)
		<-late.finished
	}
	var names []string
	for _, g := range listGroups(t, d, "a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 100}) {
		names = append(names, g.Name)
	}
	wantEqual(t, "the groups", []string{"first", "second", "third"}, names)
}

// A transaction of several messages has begun before, so that whoever asks waits
// for its end, however late the last message is.
func TestCommitThatArrivesAfterTheQuestion(t *testing.T) {
	t.Parallel()
	path := newLatePath(t, pgtest.Start(t, pgtest.Options{}))
	d := dbtest.Open(t, path.url(t))
	addStores(t, d, "a")
	addCustomers(t, d, "a", newCustomer(1, 0))
	rename := func(name string) func(*db.Tx) error {
		return func(tx *db.Tx) error {
			return changeCustomer(tx, "a", 1, func(c *cohort.Customer) { c.Notes += name })
		}
	}
	update(t, d, rename("first"))
	late := path.delay("second")
	go func() {
		<-late.lost
		close(late.goOn)
	}()
	update(t, d, rename("second"))
	<-late.finished
	for _, c := range listCustomers(t, d, "a", everybody) {
		wantEqual(t, "the notes", "firstsecond", c.Notes)
	}
}
