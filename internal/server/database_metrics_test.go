package server_test

import (
	"runtime"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/server"

	"github.com/google/go-cmp/cmp"
)

// PostgreSQL has metrics of its connection pool; SQLite has none.
func TestDatabaseMetrics(t *testing.T) {
	t.Parallel()
	m := server.NewMetrics()
	d := dbtest.Open(t, pgtest.URL(t)+"&pool_max_conns=7")
	newFixture(t, d, server.Options{Metrics: m, Now: newClock().Now})
	inUse := func(want string) {
		t.Helper()
		if got := scraped(m, `cohort_db_connections{state="in_use"}`); !cmp.Equal(got, []string{`cohort_db_connections{state="in_use"} ` + want}) {
			t.Errorf("in use: %q, want %s", got, want)
		}
	}
	// The connection of the fixture's last query is returned shortly after its result.
	for free := []string{`cohort_db_connections{state="in_use"} 0`}; !cmp.Equal(scraped(m, `cohort_db_connections{state="in_use"}`), free); {
		runtime.Gosched()
	}
	err := d.View(t.Context(), func(tx *db.Tx) error {
		if _, err := tx.Store("unknown"); cohort.KindOf(err) != cohort.KindNotFound {
			t.Error(err)
		}
		inUse("1")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for metric, want := range map[string]string{
		`cohort_db_connections{state="max"}`: `cohort_db_connections{state="max"} 7`,
		"cohort_db_attempts_repeated_total":  "cohort_db_attempts_repeated_total 0",
		"cohort_db_outcomes_unknown_total":   "cohort_db_outcomes_unknown_total 0",
		"cohort_db_follow_queries_total":     "cohort_db_follow_queries_total 0",
		"cohort_db_follow_failures_total":    "cohort_db_follow_failures_total 0",
	} {
		if got := scraped(m, metric); !cmp.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", metric, got, want)
		}
	}

	m = server.NewMetrics()
	newFixture(t, dbtest.SQLite(t), server.Options{Metrics: m, Now: newClock().Now})
	if got := scraped(m, "cohort_db_"); len(got) != 0 {
		t.Errorf("SQLite has the metrics %q", got)
	}
}
