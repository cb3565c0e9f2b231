package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// CopiedTables returns the names of the tables that Copy copies.
func CopiedTables() (names []string) {
	for _, t := range copied {
		names = append(names, t.name)
	}
	return names
}

// CopiedColumns returns the names of the columns that Copy copies of a table.
func CopiedColumns(name string) (columns []string) {
	for _, t := range copied {
		if t.name == name {
			for _, c := range t.columns {
				columns = append(columns, c.name)
			}
		}
	}
	return columns
}

// Schema returns the columns of every table of the database, by table.
func (t *Tx) Schema(tb testing.TB) map[string][]string {
	tb.Helper()
	query := "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid"
	if t.SQL().ForUpdate != "" {
		query = `SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
			WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position`
	}
	rows, err := t.Query(query)
	if err != nil {
		tb.Fatal(err)
	}
	type pair struct{ table, column string }
	pairs, err := txn.Collect(rows, func(row txn.Scanner) (p pair, err error) { return p, row.Scan(&p.table, &p.column) })
	if err != nil {
		tb.Fatal(err)
	}
	schema := map[string][]string{}
	for _, p := range pairs {
		schema[p.table] = append(schema[p.table], p.column)
	}
	return schema
}

// Dump returns the rows of a copied table as sorted texts.
func (t *Tx) Dump(tb testing.TB, name string) (list []string) {
	tb.Helper()
	i := slices.IndexFunc(copied, func(c table) bool { return c.name == name })
	table := copied[i]
	rows, err := t.Query("SELECT " + table.columnReads() + " FROM " + table.name)
	if err != nil {
		tb.Fatal(err)
	}
	list, err = txn.Collect(rows, func(row txn.Scanner) (string, error) {
		values := make([]any, len(table.columns))
		for i, c := range table.columns {
			values[i] = c.new()
		}
		if err := row.Scan(values...); err != nil {
			return "", err
		}
		var b strings.Builder
		for _, v := range values {
			switch v := v.(type) {
			case *string:
				fmt.Fprintf(&b, "%q ", *v)
			case *int64:
				fmt.Fprint(&b, *v, " ")
			case *bool:
				fmt.Fprint(&b, *v, " ")
			}
		}
		return b.String(), nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	slices.SortFunc(list, cmp.Compare)
	return list
}

// SweptTables returns the names of the tables that SweepStore sweeps, in order.
func SweptTables() (names []string) {
	for _, t := range sweptTables() {
		names = append(names, t.name)
	}
	return names
}

// ContentTables returns the names of the tables with the content of stores.
func ContentTables() (names []string) {
	for _, t := range contentTables() {
		names = append(names, t.name)
	}
	return names
}

// NextStoreKey is nextStoreKey.
func (t *Tx) NextStoreKey(hash string) (string, error) { return t.nextStoreKey(hash) }

// SmallBatches limits batches to rows rows, without pauses between them.
func (db *DB) SmallBatches(rows int) { db.maxBatch, db.maxBatchPause = rows, 0 }

// ErrDead is the error of every transaction after a simulated crash.
var ErrDead = errors.New("simulated crash")

// DieAfter simulates a crash of the process after a number of updates: every later
// transaction fails with ErrDead.
func (db *DB) DieAfter(updates int) {
	left := updates
	db.run = &dyingTransactions{transactions: db.run, dies: func(transactions) bool { left--; return left < 0 }}
}

// DieWhenPublished simulates a crash after the update that publishes an import.
func (db *DB) DieWhenPublished() {
	db.run = &dyingTransactions{transactions: db.run, dies: func(run transactions) bool {
		n := int64(0)
		err := run.View(context.Background(), func(tx *txn.Tx) error {
			return tx.QueryRow("SELECT count(*) FROM catalog_imports WHERE state = 'published'").Scan(&n)
		})
		return n > 0 || err != nil
	}}
}

type dyingTransactions struct {
	transactions
	dies func(transactions) bool // called before each update; true simulates the crash

	mu   sync.Mutex
	dead bool
}

func (d *dyingTransactions) isDead(isUpdate bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = d.dead || isUpdate && d.dies(d.transactions)
	return d.dead
}

func (d *dyingTransactions) Update(ctx context.Context, fn func(*txn.Tx) error) error {
	if d.isDead(true) {
		return ErrDead
	}
	return d.transactions.Update(ctx, fn)
}

func (d *dyingTransactions) View(ctx context.Context, fn func(*txn.Tx) error) error {
	if d.isDead(false) {
		return ErrDead
	}
	return d.transactions.View(ctx, fn)
}

// BypassedTables calls fn and returns the queries of its views that read a catalog
// table without the rows of an unmerged import.
func (db *DB) BypassedTables(fn func()) (list []string) {
	t := &tracedTransactions{transactions: db.run}
	db.run = t
	defer func() { db.run = t.transactions }()
	fn()
	for _, query := range t.queries {
		for _, table := range []string{"categories", "products", "product_categories", "variants", "category_details", "product_details", "variant_details"} {
			for _, word := range []string{"FROM ", "JOIN "} {
				if strings.Contains(query+" ", word+table+" ") && !strings.Contains(query, "incoming_"+table+" ") &&
					!strings.Contains(query, "incoming_"+table+")") {
					list = append(list, query)
				}
			}
		}
	}
	return list
}

// CountQueries starts to count the statements of views and updates. count returns the
// number so far.
func (db *DB) CountQueries() (count func() int) {
	t := &tracedTransactions{transactions: db.run}
	db.run = t
	return func() int {
		t.mu.Lock()
		defer t.mu.Unlock()
		return len(t.queries)
	}
}

// CountUpdates starts to count updates. count returns the number so far.
func (db *DB) CountUpdates() (count func() int) {
	n := 0
	db.run = &dyingTransactions{transactions: db.run, dies: func(transactions) bool { n++; return false }}
	return func() int { return n }
}

// tracedTransactions records the statements of views and updates.
type tracedTransactions struct {
	transactions

	mu      sync.Mutex
	queries []string
}

func (t *tracedTransactions) View(ctx context.Context, fn func(*txn.Tx) error) error {
	return t.transactions.View(ctx, func(tx *txn.Tx) error {
		tx.Trace(t.add)
		return fn(tx)
	})
}

func (t *tracedTransactions) Update(ctx context.Context, fn func(*txn.Tx) error) error {
	return t.transactions.Update(ctx, func(tx *txn.Tx) error {
		tx.Trace(t.add)
		defer tx.Trace(nil)
		return fn(tx)
	})
}

func (t *tracedTransactions) add(query string, _ []any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queries = append(t.queries, query)
}

// ListProducts returns the rows that ReadProducts reads.
func (t *Tx) ListProducts(storeKey string, f cohort.ProductFilter, p cohort.Page) ([]cohort.Product, error) {
	return all(func(fn func(cohort.Product) bool) error {
		return t.ReadProducts(storeKey, f, cohort.ProductOrder{}, p, fn)
	})
}

// MaxCompared is exported for the tests.
const MaxCompared = maxCompared

// ListAddresses returns the rows that ReadAddresses reads.
func (t *Tx) ListAddresses(storeKey string, f cohort.AddressFilter, p cohort.Page) ([]cohort.Address, error) {
	return all(func(fn func(cohort.Address) bool) error { return t.ReadAddresses(storeKey, f, p, fn) })
}

// ListedCustomers returns the ids of a page of customers in an order, and what
// ReadCustomerBatches returns.
func (t *Tx) ListedCustomers(storeKey string, f cohort.CustomerFilter, o cohort.CustomerOrder, p cohort.Page) (list []cohort.Customer, found int64, err error) {
	found, err = t.ReadCustomerBatches(storeKey, f, o, p, 7, func(batch []cohort.Customer) (bool, error) {
		list = append(list, batch...)
		return true, nil
	})
	return list, found, err
}

// Plans returns the plan of each query that fn runs, as the engine explains it.
func (t *Tx) Plans(fn func() error) (plans []string, err error) {
	type run struct {
		query string
		args  []any
	}
	var runs []run
	t.Trace(func(query string, args []any) { runs = append(runs, run{query, slices.Clone(args)}) })
	if err := fn(); err != nil {
		return nil, err
	}
	t.Trace(nil)
	for _, r := range runs {
		plan, err := t.plan(r.query, r.args)
		if err != nil {
			return nil, err
		}
		plans = append(plans, r.query+"\n"+plan)
	}
	return plans, nil
}

func (t *Tx) plan(query string, args []any) (string, error) {
	explain := "EXPLAIN QUERY PLAN "
	if t.SQL().ForUpdate != "" { // PostgreSQL
		explain = "EXPLAIN "
	}
	rows, err := t.Query(explain+query, args...)
	if err != nil {
		return "", err
	}
	steps, err := txn.Collect(rows, func(row txn.Scanner) (step string, err error) {
		if t.SQL().ForUpdate != "" {
			return step, row.Scan(&step)
		}
		var id, parent, unused int64
		return step, row.Scan(&id, &parent, &unused, &step)
	})
	return strings.Join(steps, "\n"), err
}

// NumberedKinds returns the kinds of ids that StoreFlaws checks.
func NumberedKinds() (kinds []string) {
	for _, n := range numberedTables {
		kinds = append(kinds, n.kind)
	}
	return kinds
}
