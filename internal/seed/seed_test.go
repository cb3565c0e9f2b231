package seed_test

import (
	"os"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/apiv2"
	"cohort.example/cohort/internal/apiv3"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/seed"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
)

// now is the time of the tests.
var now = time.Date(2026, time.May, 6, 7, 8, 9, 0, time.UTC)

// site is a store that tests load seeds into.
type site struct {
	svc      *service.Service
	dialects []*api.Dialect
	store    cohort.Store
}

func newSite(t testing.TB, d *db.DB, hash string) *site {
	t.Helper()
	at := now.Add(-time.Hour) // so that the tokens have an order
	svc := service.New(d, service.WithClock(func() time.Time { return at }))
	st, err := svc.CreateStore(t.Context(), cohort.Store{Hash: hash, Catalog: cohort.CatalogManaged})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"shop", "app"} {
		at = at.Add(time.Minute)
		k := cohort.Token{StoreKey: st.Key, Name: name, Scopes: cohort.Scopes()}
		if _, err := svc.CreateTokenWithSecret(t.Context(), k, name+" of "+hash); err != nil {
			t.Fatal(err)
		}
	}
	at = now
	return &site{svc, []*api.Dialect{apiv2.Dialect(svc), apiv3.Dialect(svc)}, st}
}

func (s *site) load(t testing.TB, text string) (seed.Counts, error) {
	t.Helper()
	root, err := seed.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	return seed.Load(t.Context(), s.svc, s.dialects, s.store, root)
}

func (s *site) export(t testing.TB) string {
	t.Helper()
	root, err := seed.Export(t.Context(), s.svc, s.dialects, s.store)
	if err != nil {
		t.Fatal(err)
	}
	text, err := seed.Write(root, seed.YAML)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A seed is kept as it is, with the defaults of what it leaves out: the golden file is its
// export. That of the store that the export makes is the same.
func TestLoadAndExport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newSite(t, d, "s1")
		counts, err := s.load(t, read(t, "testdata/seed.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		want := seed.Counts{
			"channels": 2, "customer_attributes": 1, "brands": 1, "category_trees": 1, "categories": 3, "products": 1,
			"price_lists": 2, "customer_groups": 4, "customers": 2, "segments": 1, "hooks": 3,
		}
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		export := s.export(t)
		if diff := cmp.Diff(read(t, "testdata/export.yaml"), export); diff != "" {
			t.Errorf("the export (-want +got):\n%s", diff)
		}
		other := newSite(t, d, "s2")
		if _, err := other.load(t, export); err != nil {
			t.Fatalf("%v\n%s", err, export)
		}
		if diff := cmp.Diff(export, other.export(t)); diff != "" {
			t.Errorf("the export of the export (-want +got):\n%s", diff)
		}
	})
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
