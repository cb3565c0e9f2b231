package txn_test

import (
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
)

// deed is something that a caller does in a store of its own, whose group 1 has
// customer 1 in it. Done twice or by half it leaves something else than done
// once.
type deed struct {
	name string
	do   func(tx *db.Tx, store string) error
	// left is what the store looks like when it was done n times, each time by
	// a call that succeeded.
	left func(n int) string
}

// deeds write in one message, and in several.
var deeds = []deed{
	{
		"create a group", // together with whoever else has nothing to read
		func(tx *db.Tx, store string) error { return addNext(tx, store, "new") },
		func(n int) string { return "group" + strings.Repeat(" new", n) + ", members 1, customers 1" },
	},
	{
		"change a group",
		func(tx *db.Tx, store string) error {
			g, err := tx.GroupForUpdate(store, 1)
			if err != nil {
				return err
			}
			g.Name += "+"
			return tx.UpdateGroup(store, g)
		},
		func(n int) string { return "group" + strings.Repeat("+", n) + ", members 1, customers 1" },
	},
	{
		"create a customer",
		func(tx *db.Tx, store string) error {
			if found, err := tx.HasGroup(store, 1); err != nil || !found {
				return fmt.Errorf("the group is there: %v, %w", found, err)
			}
			id, err := tx.NextCustomerID(store)
			if err != nil {
				return err
			}
			return tx.InsertCustomer(store, newCustomer(id+1, 1), "")
		},
		func(n int) string { return fmt.Sprintf("group, members %d, customers %d", n+1, n+1) },
	},
	{
		"delete a group",
		func(tx *db.Tx, store string) error {
			if err := tx.DeleteGroup(store, 1); err != nil {
				return err
			}
			_, err := tx.UnassignMembers(store, 1, 10)
			return err
		},
		func(int) string { return ", members 0, customers 1" },
	},
	{
		"delete a store",
		func(tx *db.Tx, store string) error { return tx.DeleteStore(store) },
		func(int) string { return ", members 0, customers 0" },
	},
}

// prepareStore makes a store for a deed.
func prepareStore(t testing.TB, d *db.DB, store string) {
	t.Helper()
	addStores(t, d, store)
	update(t, d, func(tx *db.Tx) error { return addNext(tx, store, "group") })
	addCustomers(t, d, store, newCustomer(1, 1))
}

// contents is what a store looks like.
func contents(t testing.TB, d *db.DB, store string) string {
	t.Helper()
	var names []string
	for _, g := range listGroups(t, d, store, cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 1000}) {
		names = append(names, g.Name)
	}
	var members int64
	view(t, d, func(tx *db.Tx) error {
		counts, err := tx.MemberCounts(store)
		members = 0
		for _, n := range counts {
			members += n
		}
		return err
	})
	return fmt.Sprintf("%s, members %d, customers %d", strings.Join(names, " "), members, countCustomers(t, d, store, everybody))
}

// lossyDB is a database behind a proxy, and the way to it without the proxy.
type lossyDB struct {
	*db.DB
	direct *db.DB
	server *pgtest.Server
	proxy  *pgtest.Proxy
	stores int
}

func openLossy(t *testing.T) *lossyDB {
	t.Helper()
	s := pgtest.Start(t, pgtest.Options{})
	l := &lossyDB{direct: dbtest.Open(t, s.URL()), server: s, proxy: pgtest.NewProxy(t, s.Addr())}
	l.DB = dbtest.Open(t, l.proxy.URL(s.URL()))
	return l
}

// store makes another store for a deed.
func (l *lossyDB) store(t *testing.T) string {
	t.Helper()
	l.stores++
	name := fmt.Sprint("s", l.stores)
	prepareStore(t, l.direct, name)
	return name
}

// The connection is lost in the moment of the commit. What the caller is told is
// true, and that is that it is done, once.
func TestConnectionLostAtTheCommit(t *testing.T) {
	t.Parallel()
	l := openLossy(t)
	for name, lose := range map[string]func(word string) <-chan struct{}{
		"before the server has it":      l.proxy.CutBefore,
		"while the server has it":       l.proxy.CutAfter,
		"when the server has committed": l.proxy.LoseAnswer,
	} {
		t.Run(name, func(t *testing.T) {
			for _, deed := range deeds {
				l.doAndLose(t, deed, false, lose)
				l.doAndLose(t, deed, true, lose)
			}
		})
	}
}

// doAndLose does a deed and loses the connection at its commit. If it is warm,
// the statements are prepared, and sent in fewer messages.
func (l *lossyDB) doAndLose(t *testing.T, deed deed, warm bool, lose func(word string) <-chan struct{}) {
	t.Helper()
	if warm {
		other := l.store(t)
		update(t, l.DB, func(tx *db.Tx) error { return deed.do(tx, other) })
	}
	store := l.store(t)
	lost := lose("COMMIT")
	update(t, l.DB, func(tx *db.Tx) error { return deed.do(tx, store) })
	<-lost // else nothing was lost
	wantEqual(t, deed.name, deed.left(1), contents(t, l.direct, store))
}

// When the server has committed and the answer is lost, so is the answer to the
// question what became of it.
func TestConnectionLostAtTheCommitAndAtTheQuestion(t *testing.T) {
	t.Parallel()
	l := openLossy(t)
	twice := 0
	for range 3 {
		for _, deed := range deeds {
			var asked <-chan struct{}
			armed := make(chan struct{})
			l.doAndLose(t, deed, true, func(word string) <-chan struct{} {
				lost := l.proxy.LoseAnswer(word)
				go func() {
					defer close(armed)
					<-lost
					asked = l.proxy.LoseAnswer("receipts")
				}()
				return lost
			})
			<-armed
			select {
			case <-asked:
				twice++
			default: // it had been asked before
			}
		}
	}
	if twice == 0 {
		t.Error("no question was ever lost")
	}
}

// cuts is in about how many places each deed is cut.
const cuts = 40

// The connection is lost after each number of bytes that a transaction sends,
// be that between messages or within one.
func TestConnectionLostAnywhere(t *testing.T) {
	t.Parallel()
	l := openLossy(t)
	for _, deed := range deeds[:3] {
		t.Run(deed.name, func(t *testing.T) {
			size := l.size(t, deed)
			store, done := l.store(t), 0
			for n := int64(0); n < size; n += size/cuts + 1 {
				update(t, l.DB, func(tx *db.Tx) error { return deed.do(tx, store) }) // prepares the statements
				l.proxy.CutAfterBytes(n)
				update(t, l.DB, func(tx *db.Tx) error { return deed.do(tx, store) })
				done += 2
			}
			wantEqual(t, "the store", deed.left(done), contents(t, l.direct, store))
		})
	}
}

// size is how many bytes a deed sends.
func (l *lossyDB) size(t *testing.T, deed deed) int64 {
	t.Helper()
	path := newLatePath(t, l.server)
	d := dbtest.Open(t, path.url(t))
	var before int64
	for range 2 {
		store := l.store(t)
		before = path.sent.Load()
		update(t, d, func(tx *db.Tx) error { return deed.do(tx, store) })
	}
	return path.sent.Load() - before
}

// A server writes a line into its log for each ROLLBACK and COMMIT without a
// transaction, and each is a message more.
func TestNothingFollowsACommit(t *testing.T) {
	t.Parallel()
	l := openLossy(t)
	d, err := db.Open(t.Context(), l.proxy.URL(l.server.URL()))
	if err != nil {
		t.Fatal(err)
	}
	sent := l.proxy.CutBefore("ROLLBACK")
	for _, deed := range deeds {
		store := l.store(t)
		update(t, d, func(tx *db.Tx) error { return deed.do(tx, store) })
	}
	if err := d.Close(); err != nil { // waits for all that is still to be said
		t.Error(err)
	}
	select {
	case <-sent:
		t.Error("a transaction that is committed is rolled back")
	default:
	}
}
