package main_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// SQLite writes a transaction that is too large for its cache to the disk
// before the commit. When the disk is full, SQLite may roll back the whole
// transaction by itself, including the other requests of the batch. A writer
// that does not notice would continue outside of any transaction.
func TestDiskFullBeforeTheCommit(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(smallDisk(t, "6m"), "cohort.db")
	d, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	closeOnce := sync.OnceValue(d.Close)
	defer func() { _ = closeOnce() }()
	err = d.Update(t.Context(), func(tx *db.Tx) error { return tx.InsertStore(cohort.Store{Hash: "a"}) })
	if err != nil {
		t.Fatal(err)
	}
	var promised []string
	for round := range 4 {
		promised = append(promised, updateTogether(t, d, round)...)
		if got := groupNames(t, d); !slices.Equal(got, promised) {
			t.Fatalf("round %d: got %q, want %q", round, got, promised)
		}
	}
	if err := closeOnce(); err != nil {
		t.Fatal(err)
	}
	again := openDB(t, url)
	defer again.Close()
	if got := groupNames(t, again); !slices.Equal(got, promised) {
		t.Fatalf("after reopening: got %q, want %q", got, promised)
	}
}

// updateTogether queues several small updates and one that is too large for the
// disk, so that they share a batch. It returns the names of the acknowledged
// groups in the order of their ids.
func updateTogether(t *testing.T, d *db.DB, round int) []string {
	var mu sync.Mutex
	acknowledged := map[int64]string{}
	var wg sync.WaitGroup
	try := func(name string, fn func(*db.Tx) error) {
		var id int64
		err := d.Update(t.Context(), func(tx *db.Tx) (err error) {
			if id, err = addGroup(tx, name); err != nil {
				return err
			}
			return fn(tx)
		})
		if err != nil && cohort.KindOf(err) != cohort.KindUnavailable {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			acknowledged[id] = name
		}
	}
	err := d.Update(t.Context(), func(*db.Tx) error {
		// The writer is busy, so these updates wait and share the next batch.
		for i := range 6 {
			wg.Go(func() { try(fmt.Sprint("small ", round, i), func(*db.Tx) error { return nil }) })
		}
		wg.Go(func() { try("too large", func(tx *db.Tx) error { return insertTooMuch(t, tx, round) }) })
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	wg.Wait()
	try(fmt.Sprint("after ", round), func(*db.Tx) error { return nil })

	ids := make([]int64, 0, len(acknowledged))
	for id := range acknowledged {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var names []string
	for _, id := range ids {
		names = append(names, acknowledged[id])
	}
	if !slices.Contains(names, fmt.Sprint("after ", round)) {
		t.Errorf("round %d: after the rollback of the large update, a small one does not fit: %q", round, names)
	}
	return names
}

func addGroup(tx *db.Tx, name string) (id int64, err error) {
	if id, err = tx.NextID("a", "customer_group"); err != nil {
		return 0, err
	}
	return id, tx.InsertGroup("a", cohort.Group{ID: id, Name: name, CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll}})
}

// insertTooMuch inserts until an insert fails, and then tries one more. The
// round determines what it inserts, and whether it returns the error.
func insertTooMuch(t *testing.T, tx *db.Tx, round int) error {
	filler := strings.Repeat("x", 1<<20)
	var err error
	for n := 1; err == nil && n < 64; n++ {
		if round < 2 {
			err = tx.InsertCustomer("a", cohort.Customer{ID: int64(n), Email: fmt.Sprint(n), Notes: filler}, "")
		} else {
			err = tx.InsertGroup("a", cohort.Group{ID: int64(1_000_000 + n), Name: fmt.Sprint(n, filler)})
		}
	}
	if err == nil {
		t.Error("64 MiB fit on the disk, or into memory; this test needs more")
	}
	_, again := addGroup(tx, "too late")
	if round%2 == 0 {
		return nil
	}
	return errors.Join(err, again)
}

func groupNames(t *testing.T, d *db.DB) (names []string) {
	t.Helper()
	err := d.View(t.Context(), func(tx *db.Tx) error {
		groups, err := tx.ListGroups("a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 1000})
		for i, g := range groups {
			names = append(names, g.Name)
			if g.ID != int64(i+1) {
				t.Errorf("group %q has id %d at place %d", g.Name, g.ID, i+1)
			}
		}
		customers, err2 := tx.CountCustomers("a", cohort.CustomerFilter{})
		if customers != 0 {
			t.Errorf("%d customers of a failed transaction", customers)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
