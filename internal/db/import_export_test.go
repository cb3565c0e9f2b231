package db

import (
	"context"
	"errors"
	"strings"
	"sync"
)

// SmallSlices makes slices of so many rows, and has nothing rest between them.
func (db *DB) SmallSlices(rows int) { db.maxSlice, db.maxSliceRest = rows, 0 }

// ErrDead is what a database answers that has died.
var ErrDead = errors.New("the process is dead")

// DieAfter lets so many updates through. Then it is as if the process were killed.
func (db *DB) DieAfter(updates int) {
	left := updates
	db.backend = &dyingBackend{backend: db.backend, dies: func(backend) bool { left--; return left < 0 }}
}

// DieWhenPublished is DieAfter for the update that publishes an import.
func (db *DB) DieWhenPublished() {
	db.backend = &dyingBackend{backend: db.backend, dies: func(b backend) bool {
		n := int64(0)
		err := b.view(context.Background(), func(tx *Tx) error {
			return tx.queryRow("SELECT count(*) FROM catalog_imports WHERE state = 'published'").Scan(&n)
		})
		return n > 0 || err != nil
	}}
}

type dyingBackend struct {
	backend
	dies func(backend) bool // asked before each update

	mu   sync.Mutex
	dead bool
}

func (b *dyingBackend) isDead(ask bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dead = b.dead || ask && b.dies(b.backend)
	return b.dead
}

func (b *dyingBackend) update(ctx context.Context, fn func(*Tx) error) error {
	if b.isDead(true) {
		return ErrDead
	}
	return b.backend.update(ctx, fn)
}

func (b *dyingBackend) view(ctx context.Context, fn func(*Tx) error) error {
	if b.isDead(false) {
		return ErrDead
	}
	return b.backend.view(ctx, fn)
}

// BypassedTables calls fn, and returns the statements of views that read a table
// of the catalog without the rows of an import.
func (db *DB) BypassedTables(fn func()) (list []string) {
	w := &watchingBackend{backend: db.backend}
	db.backend = w
	defer func() { db.backend = w.backend }()
	fn()
	for _, query := range w.queries {
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

type watchingBackend struct {
	backend
	queries []string
}

func (b *watchingBackend) view(ctx context.Context, fn func(*Tx) error) error {
	return b.backend.view(ctx, func(tx *Tx) error {
		tx.session = watchingSession{tx.session, b}
		return fn(tx)
	})
}

type watchingSession struct {
	session
	backend *watchingBackend
}

func (s watchingSession) query(ctx context.Context, query string, args []any) (rows, error) {
	s.backend.queries = append(s.backend.queries, query)
	return s.session.query(ctx, query, args)
}
