package txn_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"pgregory.net/rapid"
)

// idTaker is one of several concurrent callers that allocate ids.
type idTaker struct {
	store, kind string
	updates     []bool // for each update: whether it should succeed
}

func (k idTaker) counter() counter { return counter{k.store, k.kind} }

func drawTaker(t *rapid.T) idTaker {
	return idTaker{
		store:   rapid.SampledFrom([]string{"a", "b"}).Draw(t, "store"),
		kind:    rapid.SampledFrom([]string{"one", "two"}).Draw(t, "kind"),
		updates: rapid.SliceOfN(rapid.SampledFrom([]bool{true, true, false}), 1, 6).Draw(t, "updates"),
	}
}

// take allocates an id in each update, and returns the ids of those that succeeded.
func (k idTaker) take(d *db.DB, store string) (ids []int64, err error) {
	for _, succeeds := range k.updates {
		var id int64
		err := d.Update(context.Background(), func(tx *db.Tx) (err error) {
			if id, err = tx.NextID(store, k.kind); err != nil {
				return err
			}
			if _, err = tx.Store(store); err == nil && !succeeds {
				return errTest
			}
			return err
		})
		if (err == nil) != succeeds {
			return ids, fmt.Errorf("update should succeed: %t, error %w", succeeds, err)
		}
		if succeeds {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// No id is allocated twice, and the ids of one caller increase: with two nodes,
// concurrent callers, updates that fail, and several stores.
func TestIDsAreUnique(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		nodes := []*db.DB{dbtest.Open(t, url), dbtest.Open(t, url)}
		histories := 0
		rapid.Check(t, func(t *rapid.T) {
			histories++
			name := func(store string) string { return fmt.Sprint(store, histories) }
			addTwoStores(t, nodes[0], name)
			given := map[counter][]int64{}
			for range 2 { // the second round starts above all ids of the first
				for c, ids := range takeAll(t, nodes, name, rapid.SliceOfN(rapid.Custom(drawTaker), 1, 5).Draw(t, "takers")) {
					if before := given[c]; len(ids) > 0 && len(before) > 0 && slices.Min(ids) <= slices.Max(before) {
						t.Fatalf("%v: %v after %v", c, ids, before)
					}
					given[c] = append(given[c], ids...)
				}
			}
			for c, ids := range given {
				slices.Sort(ids)
				if len(slices.Compact(slices.Clone(ids))) != len(ids) || len(ids) > 0 && ids[0] < 1 {
					t.Fatalf("%v: the ids are %v", c, ids)
				}
			}
		})
	})
}

func addTwoStores(t *rapid.T, d *db.DB, name func(string) string) {
	for _, store := range []string{"a", "b"} {
		err := d.Update(context.Background(), func(tx *db.Tx) error { return tx.InsertStore(cohort.Store{Hash: name(store)}) })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// takeAll runs all takers concurrently, and returns their ids by counter.
func takeAll(t *rapid.T, nodes []*db.DB, name func(string) string, takers []idTaker) map[counter][]int64 {
	var mu sync.Mutex
	var wg sync.WaitGroup
	given, failures := map[counter][]int64{}, []string{}
	for i, k := range takers {
		wg.Go(func() {
			ids, err := k.take(nodes[i%len(nodes)], name(k.store))
			mu.Lock()
			defer mu.Unlock()
			given[k.counter()] = append(given[k.counter()], ids...)
			if err != nil {
				failures = append(failures, err.Error())
			} else if !slices.IsSorted(ids) {
				failures = append(failures, fmt.Sprintf("one caller got %v", ids))
			}
		})
	}
	wg.Wait()
	if len(failures) > 0 {
		t.Fatal(strings.Join(failures, "\n"))
	}
	return given
}
