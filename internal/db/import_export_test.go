package db

import (
	"context"
	"errors"
	"strings"
	"sync"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// SmallSlices makes slices of so many rows, and has nothing rest between them.
func (db *DB) SmallSlices(rows int) { db.maxSlice, db.maxSliceRest = rows, 0 }

// ErrDead is what a database answers that has died.
var ErrDead = errors.New("the process is dead")

// DieAfter lets so many updates through. Then it is as if the process were killed.
func (db *DB) DieAfter(updates int) {
	left := updates
	db.run = &dyingTransactions{transactions: db.run, dies: func(transactions) bool { left--; return left < 0 }}
}

// DieWhenPublished is DieAfter for the update that publishes an import.
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
	dies func(transactions) bool // asked before each update

	mu   sync.Mutex
	dead bool
}

func (d *dyingTransactions) isDead(ask bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = d.dead || ask && d.dies(d.transactions)
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

// BypassedTables calls fn, and returns the statements of views that read a table
// of the catalog without the rows of an import.
func (db *DB) BypassedTables(fn func()) (list []string) {
	t := &tracedTransactions{transactions: db.run}
	db.run = t
	defer func() { db.run = t.transactions }()
	fn()
	for _, query := range t.queries {
		for _, table := range []string{"categories", "products", "product_categories", "variants"} {
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

// CountQueries counts the queries of views from now on.
func (db *DB) CountQueries() (count func() int) {
	t := &tracedTransactions{transactions: db.run}
	db.run = t
	return func() int {
		t.mu.Lock()
		defer t.mu.Unlock()
		return len(t.queries)
	}
}

// tracedTransactions notes the queries of views.
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

func (t *tracedTransactions) add(query string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queries = append(t.queries, query)
}

// ListProducts returns the rows that ReadProducts reads.
func (t *Tx) ListProducts(storeKey string, f cohort.ProductFilter, p cohort.Page) ([]cohort.Product, error) {
	return all(func(fn func(cohort.Product) bool) error { return t.ReadProducts(storeKey, f, p, fn) })
}
