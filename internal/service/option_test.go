package service_test

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func newProduct(t *testing.T, s *service.Service) int64 {
	t.Helper()
	p, err := s.CreateProduct(t.Context(), "a", cohort.Product{Name: "Towel", Type: cohort.ProductPhysical})
	if err != nil {
		t.Fatal(err)
	}
	return p.ID
}

func named(name string, labels ...string) cohort.OptionUpdate {
	u := cohort.OptionUpdate{DisplayName: &name, Type: new("dropdown")}
	for _, label := range labels {
		u.Choices = append(u.Choices, cohort.ChoiceUpdate{Label: &label})
	}
	return u
}

// Of concurrent creates and renames to one name, one succeeds, whether of options or of
// modifiers, and all ids differ.
func TestOptionNamesStayUnique(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(t, d, []string{"a"})
		ref := service.OptionRef{ProductID: newProduct(t, s)}
		const others = 4
		for i := range others {
			if _, err := s.CreateOption(t.Context(), "a", ref, named(fmt.Sprint("option ", i))); err != nil {
				t.Fatal(err)
			}
		}
		errs := make([]error, 3*others)
		var all sync.WaitGroup
		for i := range others {
			all.Go(func() { _, errs[i] = s.CreateOption(t.Context(), "a", ref, named("One", "x")) })
			all.Go(func() {
				_, errs[others+i] = s.CreateOption(t.Context(), "a", service.OptionRef{ProductID: ref.ProductID, Kind: cohort.Modifier}, named("one"))
			})
			all.Go(func() {
				_, errs[2*others+i] = s.UpdateOption(t.Context(), "a", service.OptionRef{ProductID: ref.ProductID, ID: int64(i) + 1}, named("ONE"))
			})
		}
		all.Wait()
		wantOne(t, errs, "display_name")
	})
}

// A value is added to an option, and a variant gets one, while the option is deleted. No
// value stays behind, and an option is not deleted once a variant has a value of it.
func TestOptionDeletedDuringOtherWrites(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(t, d, []string{"a"})
		product := newProduct(t, s)
		for i := range 8 {
			o, err := s.CreateOption(t.Context(), "a", service.OptionRef{ProductID: product}, named(fmt.Sprint("option ", i), "x"))
			if err != nil {
				t.Fatal(err)
			}
			ref := service.OptionRef{ProductID: product, ID: o.ID}
			var deletion, addition, use error
			var added cohort.Choice
			var all sync.WaitGroup
			all.Go(func() { deletion = s.DeleteOption(t.Context(), "a", ref) })
			all.Go(func() { added, addition = s.CreateChoice(t.Context(), "a", ref, cohort.ChoiceUpdate{Label: new("y")}) })
			all.Go(func() {
				_, use = s.CreateVariant(t.Context(), "a", cohort.Variant{
					ProductID: product, OptionValues: []cohort.OptionValue{{OptionID: o.ID, ValueID: o.Choices[0].ID}},
				})
			})
			all.Wait()
			switch {
			case deletion == nil: // the variant came later, when the product had no such option
				if use != nil && cohort.KindOf(use) != cohort.KindInvalid {
					t.Error(use)
				}
				if addition != nil && cohort.KindOf(addition) != cohort.KindNotFound {
					t.Error(addition)
				}
				if _, err := s.Choice(t.Context(), "a", ref, added.ID); cohort.KindOf(err) != cohort.KindNotFound {
					t.Errorf("a value of a deleted option: %v", err)
				}
			case cohort.KindOf(deletion) != cohort.KindConflict || addition != nil || use != nil:
				t.Errorf("deletion: %v, addition: %v, use: %v", deletion, addition, use)
			default:
				if got, err := s.Option(t.Context(), "a", ref); err != nil || len(got.Choices) != 2 {
					t.Errorf("the option has the values %v, error %v", got.Choices, err)
				}
			}
		}
	})
}

// The columns beside the document have the price adjuster.
func TestPriceAdjustersOfChoices(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(t, d, []string{"a"})
		ref := service.OptionRef{ProductID: newProduct(t, s), Kind: cohort.Modifier}
		u := named("Wrap", "Paper", "Silk", "None")
		adjusted := func(price string) cohort.Details {
			return cohort.Details{"adjusters": json.RawMessage(`{"price":` + price + `}`)}
		}
		u.Choices[0].Details = adjusted(`{"adjuster":"relative","adjuster_value":-1.25}`)
		u.Choices[1].Details = adjusted(`{}`)
		o, err := s.CreateOption(t.Context(), "a", ref, u)
		if err != nil {
			t.Fatal(err)
		}
		ref.ID = o.ID
		if _, err := s.UpdateChoice(t.Context(), "a", ref, 2, cohort.ChoiceUpdate{Details: adjusted(`{"adjuster":"percentage","adjuster_value":7.5}`)}); err != nil {
			t.Fatal(err)
		}
		type row struct {
			kind   string
			amount int64
		}
		for id, want := range map[int64]row{1: {"relative", -12_500}, 2: {"percentage", 75_000}, 3: {}} {
			var got row
			dbtest.View(t, d, func(tx *db.Tx) error {
				return tx.Lookup("SELECT price_adjuster, price_amount FROM option_choices WHERE store_hash = $1 AND id = $2", "a", id).Scan(&got.kind, &got.amount)
			})
			if got != want {
				t.Errorf("value %d has the adjuster %v, want %v", id, got, want)
			}
		}
	})
}

// An import of a product leaves its options alone.
func TestOptionsSurviveAnImport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(t, d, []string{"a"})
		ref := service.OptionRef{ProductID: newProduct(t, s)}
		o, err := s.CreateOption(t.Context(), "a", ref, named("Size", "x"))
		if err != nil {
			t.Fatal(err)
		}
		items := []cohort.CatalogItem{{Line: 1, Kind: cohort.CatalogProduct, ID: ref.ProductID, Product: cohort.Product{Name: "Bath towel", Type: cohort.ProductPhysical}}}
		if _, err := s.ImportCatalog(t.Context(), "a", func() (item cohort.CatalogItem, err error) {
			if len(items) == 0 {
				return item, io.EOF
			}
			item, items = items[0], items[1:]
			return item, nil
		}, false); err != nil {
			t.Fatal(err)
		}
		ref.ID = o.ID
		got, err := s.Option(t.Context(), "a", ref)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the option (-want +got):\n%s", diff)
		}
	})
}

// A product has a bounded number of options and of modifiers, and these of choices.
func TestBoundsOfOptions(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		s := newService(t, d, []string{"a"})
		product := newProduct(t, s)
		for _, kind := range []cohort.OptionKind{cohort.VariantOption, cohort.Modifier} {
			ref := service.OptionRef{ProductID: product, Kind: kind}
			for i := range kind.Max() + 1 {
				o, err := s.CreateOption(t.Context(), "a", ref, named(fmt.Sprint(kind, " ", i)))
				if full := i == kind.Max(); (cohort.KindOf(err) == cohort.KindConflict) != full || (err == nil) == full {
					t.Fatalf("%v %d: %v", kind, i, err)
				}
				if i == 0 {
					ref.ID = o.ID
				}
			}
			many := cohort.OptionUpdate{Choices: make([]cohort.ChoiceUpdate, cohort.MaxChoices)}
			for i := range many.Choices {
				many.Choices[i].Label = new("x")
			}
			if _, err := s.UpdateOption(t.Context(), "a", ref, many); err != nil {
				t.Fatal(err)
			}
			if _, err := s.CreateChoice(t.Context(), "a", ref, many.Choices[0]); cohort.KindOf(err) != cohort.KindConflict {
				t.Errorf("one choice more: %v", err)
			}
		}
	})
}
