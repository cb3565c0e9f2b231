package txn_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/testenv"
	"cohort.example/cohort/internal/txn"
)

// operation is a transaction on a store that has group 1 with customer 1 in it. The
// contents of the store show whether it ran once, twice, or in part.
type operation struct {
	name string
	run  func(tx *db.Tx, store string) error
	// after is what contents returns after n successful runs.
	after func(n int) string
}

// operations has transactions that are sent in one message, and transactions of
// several messages.
var operations = []operation{
	{
		"create a group", // reads nothing, so it can share a transaction
		func(tx *db.Tx, store string) error { return addNext(tx, store, newName()) },
		func(n int) string { return "group" + strings.Repeat(" group", n) + ", members 1, customers 1" },
	},
	{
		"change a group",
		func(tx *db.Tx, store string) error {
			g, err := tx.GroupForUpdate(store, 1)
			if err != nil {
				return err
			}
			before := g
			g.Name += "+"
			return tx.UpdateGroup(store, before, g)
		},
		func(n int) string { return "group" + strings.Repeat("+", n) + ", members 1, customers 1" },
	},
	{
		"create a customer",
		func(tx *db.Tx, store string) error {
			if found, err := tx.HasGroup(store, 1); err != nil || !found {
				return fmt.Errorf("group 1 found: %t, error %w", found, err)
			}
			id, err := tx.NextID(store, "customer")
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

var createGroup, changeGroup = operations[0], operations[1]

// prepareStore adds a store for an operation.
func prepareStore(t testing.TB, d *db.DB, store string) {
	t.Helper()
	addStores(t, d, store)
	update(t, d, func(tx *db.Tx) error { return addNext(tx, store, "group") })
	addCustomers(t, d, store, newCustomer(1, 1))
}

// contents describes the groups and customers of a store. It omits the numbers that
// newName adds to names.
func contents(t testing.TB, d *db.DB, store string) string {
	t.Helper()
	names := groupNames(t, d, store)
	for i, name := range names {
		names[i] = strings.TrimRight(name, " 0123456789")
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
	return fmt.Sprintf("%s, members %d, customers %d", strings.Join(names, " "), members, countCustomers(t, d, store, allCustomers))
}

func groupNames(t testing.TB, d *db.DB, store string) (names []string) {
	t.Helper()
	for _, g := range listGroups(t, d, store, allGroups, onePage) {
		names = append(names, g.Name)
	}
	return names
}

// proxied is a database behind a proxy that can break its connections.
type proxied struct {
	*db.DB
	direct *db.DB // the same database without the proxy
	server *pgtest.Server
	proxy  *pgtest.Proxy
	url    string // without the proxy
	stores int
}

func openProxied(t *testing.T, s *pgtest.Server) *proxied {
	t.Helper()
	p := &proxied{server: s, proxy: pgtest.NewProxy(t, s.Addr()), url: newDatabase(t, s)}
	p.direct = dbtest.Open(t, p.url)
	p.DB = dbtest.Open(t, p.proxy.URL(p.url))
	return p
}

// newDatabase returns the URL of another empty database on a server.
func newDatabase(t *testing.T, s *pgtest.Server) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	s.Exec(t, "CREATE DATABASE "+name+" TEMPLATE template0")
	return changedURL(t, s.URL(), func(u *url.URL) { u.Path = "/" + name })
}

// store adds another store for an operation and returns its key.
func (p *proxied) store(t *testing.T) string {
	t.Helper()
	p.stores++
	name := fmt.Sprint("s", p.stores)
	prepareStore(t, p.direct, name)
	return name
}

// TestConnectionLost breaks connections during transactions. The error of Update has
// to match the contents of the database.
func TestConnectionLost(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	for name, test := range map[string]func(*testing.T, *pgtest.Server){
		"at the commit":                       testLostAtCommit,
		"at the commit and at the receipt":    testLostAtCommitAndReceipt,
		"after any number of bytes":           testLostAnywhere,
		"until the settle timeout":            testOutcomeUnknown,
		"after the caller has left":           testOutcomeUnknownAfterCancel,
		"insertion arrives after the receipt": testMessageAfterReceipt,
		"commit arrives after the receipt":    testCommitAfterReceipt,
		"nothing is sent after a commit":      testNoRollbackAfterCommit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

// The connection breaks during the commit. Update finds out the outcome and succeeds,
// and the operation has run once.
func testLostAtCommit(t *testing.T, s *pgtest.Server) {
	p := openProxied(t, s)
	for name, lose := range map[string]func(word string) <-chan struct{}{
		"before the server receives it":  p.proxy.CutBefore,
		"while the server runs it":       p.proxy.CutAfter,
		"after the server has committed": p.proxy.LoseResponse,
	} {
		t.Run(name, func(t *testing.T) {
			for i, op := range operations {
				for _, warm := range testenv.Times([]bool{false, true}, []bool{i%2 == 0}) {
					p.runAndLose(t, op, warm, lose)
				}
			}
		})
	}
}

// runAndLose runs an operation and breaks the connection at its commit. If it is
// warm, the statements are prepared, and sent in fewer messages.
func (p *proxied) runAndLose(t *testing.T, op operation, warm bool, lose func(word string) <-chan struct{}) {
	t.Helper()
	if warm {
		other := p.store(t)
		update(t, p.DB, func(tx *db.Tx) error { return op.run(tx, other) })
	}
	store := p.store(t)
	lost := lose("COMMIT")
	update(t, p.DB, func(tx *db.Tx) error { return op.run(tx, store) })
	<-lost // otherwise the test has broken no connection
	wantEqual(t, op.name, op.after(1), contents(t, p.direct, store))
}

// The server commits, its response is lost, and so is the response to the query for
// the receipt.
func testLostAtCommitAndReceipt(t *testing.T, s *pgtest.Server) {
	p := openProxied(t, s)
	lostBoth := 0
	for round := 0; round < 3 && (testenv.Full() || lostBoth == 0); round++ {
		for _, op := range operations {
			var lostReceipt <-chan struct{}
			armed := make(chan struct{})
			p.runAndLose(t, op, true, func(word string) <-chan struct{} {
				lost := p.proxy.LoseResponse(word)
				go func() {
					defer close(armed)
					<-lost
					lostReceipt = p.proxy.LoseResponse("receipts")
				}()
				return lost
			})
			<-armed
			select {
			case <-lostReceipt:
				lostBoth++
			default: // the query was faster than the proxy
			}
		}
	}
	if lostBoth == 0 {
		t.Error("no response to a query for a receipt was lost")
	}
}

// The connection breaks after any number of bytes that a transaction sends, between
// messages or within one.
func testLostAnywhere(t *testing.T, s *pgtest.Server) {
	cuts := testenv.Times[int64](40, 8) // roughly, per operation
	p := openProxied(t, s)
	for _, op := range operations[:3] {
		t.Run(op.name, func(t *testing.T) {
			size := p.size(t, op)
			store, runs := p.store(t), 0
			for n := int64(0); n < size; n += size/cuts + 1 {
				update(t, p.DB, func(tx *db.Tx) error { return op.run(tx, store) }) // prepares the statements
				p.proxy.CutAfterBytes(n)
				update(t, p.DB, func(tx *db.Tx) error { return op.run(tx, store) })
				runs += 2
			}
			wantEqual(t, "the store", op.after(runs), contents(t, p.direct, store))
		})
	}
}

// size returns how many bytes an operation sends.
func (p *proxied) size(t *testing.T, op operation) int64 {
	t.Helper()
	path := newLatePath(t, p.server)
	d := dbtest.Open(t, path.url(t, p.url))
	var before int64
	for range 2 {
		store := p.store(t)
		before = path.sent.Load()
		update(t, d, func(tx *db.Tx) error { return op.run(tx, store) })
	}
	return path.sent.Load() - before
}

// The server commits and then cannot be reached. Update reports that the outcome is
// unknown, and works again when the server is back.
func testOutcomeUnknown(t *testing.T, s *pgtest.Server) {
	p := openProxied(t, s)
	p.SetTimeouts(txn.Timeouts{Settle: 150 * time.Millisecond})
	for _, op := range operations {
		store, other, next := p.store(t), p.store(t), p.store(t)
		update(t, p.DB, func(tx *db.Tx) error { return op.run(tx, other) }) // opens the connections
		p.proxy.Refuse(true)                                                // new connections
		lost := p.proxy.LoseResponse("COMMIT")
		err := p.Update(t.Context(), func(tx *db.Tx) error { return op.run(tx, store) })
		wantUnavailable(t, err, "unknown")
		<-lost
		wantEqual(t, op.name, op.after(1), contents(t, p.direct, store))
		p.proxy.Refuse(false)
		update(t, p.DB, func(tx *db.Tx) error { return op.run(tx, next) })
		wantEqual(t, op.name, op.after(1), contents(t, p.direct, next))
	}
}

// A caller whose context ends before the outcome is known does not get an error that
// says that nothing was changed.
func testOutcomeUnknownAfterCancel(t *testing.T, s *pgtest.Server) {
	p := openProxied(t, s)
	p.SetTimeouts(txn.Timeouts{Settle: 150 * time.Millisecond})
	for _, op := range operations {
		store, other := p.store(t), p.store(t)
		update(t, p.DB, func(tx *db.Tx) error { return op.run(tx, other) })
		p.proxy.Refuse(true)
		lost := p.proxy.LoseResponse("COMMIT")
		ctx, cancel := context.WithCancel(t.Context())
		err := p.Update(ctx, func(tx *db.Tx) error {
			defer cancel()
			return op.run(tx, store)
		})
		if err == nil || !strings.Contains(err.Error(), "unknown") {
			t.Errorf("%s: got error %v, want an unknown outcome", op.name, err)
		}
		<-lost
		p.proxy.Refuse(false)
		wantEqual(t, op.name, op.after(1), contents(t, p.direct, store))
	}
}

// wantUnavailable fails unless err is of KindUnavailable and contains why.
func wantUnavailable(t *testing.T, err error, why string) {
	t.Helper()
	if err == nil {
		t.Errorf("got no error, want one with %q", why)
		return
	}
	wantKind(t, err, cohort.KindUnavailable)
	if !strings.Contains(err.Error(), why) {
		t.Errorf("got error %v, want one with %q", err, why)
	}
}

// A ROLLBACK or COMMIT without a transaction would cost a message and add a warning
// to the server's log.
func testNoRollbackAfterCommit(t *testing.T, s *pgtest.Server) {
	p := openProxied(t, s)
	d, err := db.Open(t.Context(), p.proxy.URL(p.url))
	if err != nil {
		t.Fatal(err)
	}
	sent := p.proxy.CutBefore("ROLLBACK")
	for _, op := range operations {
		store := p.store(t)
		update(t, d, func(tx *db.Tx) error { return op.run(tx, store) })
	}
	if err := d.Close(); err != nil { // waits until everything is sent
		t.Error(err)
	}
	select {
	case <-sent:
		t.Error("a ROLLBACK follows a commit")
	default:
	}
}
