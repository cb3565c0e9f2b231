package db_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

func addPlainProducts(t *testing.T, d *db.DB, n int64) {
	t.Helper()
	update(t, d, func(tx *db.Tx) error {
		for id := range n {
			if err := tx.InsertProduct("a", cohort.Product{ID: id + 1, Name: fmt.Sprint(id), Type: cohort.ProductPhysical}); err != nil {
				return err
			}
		}
		return nil
	})
}

// A page of products takes as many statements whether its products have options, modifiers
// and channels or not, and each product gets its own.
func TestReadProductsWith(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		const products = 250
		addPlainProducts(t, d, products)
		everything := cohort.ProductWith{Options: true, Modifiers: true, Channels: true}
		read := func(with cohort.ProductWith) (list []cohort.Product, statements int) {
			view(t, d, func(tx *db.Tx) error {
				tx.Trace(func(string, []any) { statements++ })
				f := cohort.ProductFilter{With: with}
				return tx.ReadProducts("a", f, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: 250}, func(p cohort.Product) bool {
					list = append(list, p)
					return true
				})
			})
			return list, statements
		}
		_, without := read(everything)
		update(t, d, func(tx *db.Tx) error {
			for id := int64(1); id <= products; id++ {
				for i, kind := range []cohort.OptionKind{cohort.VariantOption, cohort.Modifier} {
					o := cohort.Option{ProductID: id, Kind: kind, DisplayName: fmt.Sprint(i), Type: "dropdown"}
					o.Choices = []cohort.Choice{{Label: fmt.Sprint(id, "a")}, {Label: fmt.Sprint(id, "b")}}
					if _, err := tx.CreateOption("a", o, nil); err != nil {
						return err
					}
				}
				err := tx.AddProductChannels("a", []cohort.ProductAssignment{{ProductID: id, TargetID: id + 1}})
				if err != nil {
					return err
				}
			}
			return nil
		})
		list, with := read(everything)
		if with != without || with > 50 {
			t.Errorf("%d statements for products with options and channels, %d for products without, want the same and at most 50", with, without)
		}
		for _, p := range list {
			if len(p.Options) != 1 || len(p.Modifiers) != 1 || !slices.Equal(p.Channels, []int64{1, p.ID + 1}) ||
				len(p.Options[0].Choices) != 2 || p.Modifiers[0].Choices[1].Label != fmt.Sprint(p.ID, "b") || p.Modifiers[0].Kind != cohort.Modifier {
				t.Fatalf("product %d has %v, %v and channels %v", p.ID, p.Options, p.Modifiers, p.Channels)
			}
		}
		if list, _ := read(cohort.ProductWith{Modifiers: true}); list[7].Options != nil || list[7].Channels != nil || len(list[7].Modifiers) != 1 {
			t.Errorf("product 8, read with modifiers, has %v, %v and channels %v", list[7].Options, list[7].Modifiers, list[7].Channels)
		}
	})
}

// Large options are read for fewer products at once, and those of a product that do not fit
// into memory are refused.
func TestReadLargeOptions(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addPlainProducts(t, d, 4)
		add := func(product int64, size int) {
			update(t, d, func(tx *db.Tx) error {
				_, err := tx.CreateOption("a", cohort.Option{
					ProductID: product, DisplayName: fmt.Sprint(size), Type: "dropdown",
					Choices: []cohort.Choice{{Label: "x", Details: cohort.Details{"value_data": json.RawMessage(`"` + strings.Repeat("x", size) + `"`)}}},
				}, nil)
				return err
			})
		}
		for id := range int64(4) {
			add(id+1, 300<<10)
		}
		reads := 0
		read := func() (err error) {
			view(t, d, func(tx *db.Tx) error {
				tx.Trace(func(query string, _ []any) {
					if strings.Contains(query, "FROM option_choices\n") {
						reads++
					}
				})
				f := cohort.ProductFilter{With: cohort.ProductWith{Options: true}}
				err = tx.ReadProducts("a", f, cohort.ProductOrder{}, cohort.Page{Number: 1, Size: 50}, func(p cohort.Product) bool {
					if len(p.Options) != 1 {
						t.Errorf("product %d has %d options, want 1", p.ID, len(p.Options))
					}
					return true
				})
				return nil
			})
			return err
		}
		if err := read(); err != nil || reads != 2 {
			t.Errorf("error %v, %d reads of options, want 2", err, reads)
		}
		add(3, cohort.MaxOptionBytes)
		if err := read(); cohort.KindOf(err) != cohort.KindTooLarge || !strings.Contains(err.Error(), "product 3") {
			t.Errorf("error %v, want KindTooLarge about product 3", err)
		}
	})
}

// Any sequence of assignments leaves each product in the channels that a model says.
func TestProductChannels(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		const products, channels = 3, 3
		addPlainProducts(t, d, products)
		in := map[cohort.ProductAssignment]bool{}
		for p := range int64(products) {
			in[cohort.ProductAssignment{ProductID: p + 1, TargetID: 1}] = true
		}
		draw := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same sequence each time
		some := func(most int) (ids []int64) {
			for id := range most {
				if draw.IntN(2) == 0 {
					ids = append(ids, int64(id)+1)
				}
			}
			return ids // nil, which selects all, in one case of eight
		}
		for range 40 {
			f := cohort.ProductAssignmentFilter{ProductIDs: some(products), TargetIDs: some(channels)}
			if draw.IntN(2) == 0 {
				assign(t, d, in, f)
			} else {
				unassign(t, d, in, f)
			}
			wantChannels(t, d, in)
			if t.Failed() {
				t.Fatalf("after %v", f)
			}
		}
	})
}

func assign(t *testing.T, d *db.DB, in map[cohort.ProductAssignment]bool, f cohort.ProductAssignmentFilter) {
	var list []cohort.ProductAssignment
	for _, p := range f.ProductIDs {
		for _, c := range f.TargetIDs {
			a := cohort.ProductAssignment{ProductID: p, TargetID: c}
			list, in[a] = append(list, a), true
		}
	}
	if list != nil {
		update(t, d, func(tx *db.Tx) error { return tx.AddProductChannels("a", list) })
	}
}

func unassign(t *testing.T, d *db.DB, in map[cohort.ProductAssignment]bool, f cohort.ProductAssignmentFilter) {
	maps.DeleteFunc(in, func(a cohort.ProductAssignment, _ bool) bool {
		return (f.ProductIDs == nil || slices.Contains(f.ProductIDs, a.ProductID)) && (f.TargetIDs == nil || slices.Contains(f.TargetIDs, a.TargetID))
	})
	update(t, d, func(tx *db.Tx) error { return tx.DeleteProductChannels("a", f) })
}

func wantChannels(t *testing.T, d *db.DB, in map[cohort.ProductAssignment]bool) {
	view(t, d, func(tx *db.Tx) error {
		for _, channels := range [][]int64{nil, {1}, {2}, {1, 3}} {
			f := cohort.ProductAssignmentFilter{TargetIDs: channels}
			var got, want []cohort.ProductAssignment
			page := cohort.Page{Number: 1, Size: 100}
			if err := tx.ReadChannelAssignments("a", f, page, func(a cohort.ProductAssignment) bool {
				got = append(got, a)
				return true
			}); err != nil {
				return err
			}
			var ids, found []int64
			for a := range in {
				if channels == nil || slices.Contains(channels, a.TargetID) {
					want, ids = append(want, a), append(ids, a.ProductID)
				}
			}
			slices.SortFunc(want, func(a, b cohort.ProductAssignment) int { return strings.Compare(a.Key(), b.Key()) })
			if n, err := tx.CountChannelAssignments("a", f); !slices.Equal(got, want) || int(n) != len(want) || err != nil {
				t.Errorf("channels %v: %v, %d in all, error %v; want %v", channels, got, n, err, want)
			}
			if channels == nil {
				continue
			}
			if err := tx.ReadProducts("a", cohort.ProductFilter{ChannelIDs: channels}, cohort.ProductOrder{}, page, func(p cohort.Product) bool {
				found = append(found, p.ID)
				return true
			}); err != nil {
				return err
			}
			slices.Sort(ids)
			if ids = slices.Compact(ids); !slices.Equal(found, ids) {
				t.Errorf("products of channels %v: %v, want %v", channels, found, ids)
			}
		}
		return nil
	})
}
