package service_test

import (
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// BenchmarkGroupIndex compares lists and counts with the group index and with the
// database alone, for a store with 50 000 groups on SQLite.
func BenchmarkGroupIndex(b *testing.B) {
	const groups = 50_000
	d := dbtest.SQLite(b)
	svc := service.New(d)
	if _, err := svc.CreateStore(b.Context(), cohort.Store{Hash: "a"}); err != nil {
		b.Fatal(err)
	}
	addMany(b, d, "a", groups)
	for !svc.HasIndex("a", someFilter, 0) {
		time.Sleep(time.Millisecond)
	}
	page := func(number int) cohort.Page { return cohort.Page{Number: number, Size: 50} }
	list := func(f cohort.GroupFilter, p cohort.Page) (index, database func() error) {
		return func() error {
				_, err := svc.ListGroups(b.Context(), "a", f, p)
				return err
			}, func() error {
				return d.View(b.Context(), func(tx *db.Tx) error {
					_, err := tx.ListGroups("a", f, p)
					return err
				})
			}
	}
	count := func(f cohort.GroupFilter) (index, database func() error) {
		return func() error {
				_, err := svc.CountGroups(b.Context(), "a", f)
				return err
			}, func() error {
				return d.View(b.Context(), func(tx *db.Tx) error {
					_, err := tx.CountGroups("a", f)
					return err
				})
			}
	}
	all, one := cohort.GroupFilter{}, cohort.GroupFilter{Name: new("Group 7")}
	run := func(name string, index, database func() error) {
		for way, call := range map[string]func() error{"index": index, "database": database} {
			b.Run(name+"/"+way, func(b *testing.B) {
				for b.Loop() {
					if err := call(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	index, database := list(all, page(groups/50))
	run("last page", index, database)
	index, database = list(one, page(20))
	run("filtered page", index, database)
	index, database = count(all)
	run("count", index, database)
	index, database = count(one)
	run("filtered count", index, database)
}

// BenchmarkGroupVersion compares the check of a group's version, after which a cached
// response is valid, with a read of the group from SQLite.
func BenchmarkGroupVersion(b *testing.B) {
	d := dbtest.SQLite(b)
	svc := service.New(d)
	if _, err := svc.CreateStore(b.Context(), cohort.Store{Hash: "a"}); err != nil {
		b.Fatal(err)
	}
	addMany(b, d, "a", 1000)
	b.Run("version", func(b *testing.B) {
		for b.Loop() {
			svc.GroupVersion("a", 500)
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, err := svc.Group(b.Context(), "a", 500); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("version of a page of 50", func(b *testing.B) {
		ids := make([]int64, 50)
		for i := range ids {
			ids[i] = int64(i + 1)
		}
		for b.Loop() {
			svc.PageVersion("a", ids)
		}
	})
	b.Run("read of a page of 50", func(b *testing.B) {
		for b.Loop() {
			if _, err := svc.ListGroups(b.Context(), "a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 50}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
