package service_test

import (
	"testing"

	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
)

// TestHistoriesOnTwoNodesAreLinearizable is TestHistoriesAreLinearizable for two
// services on one PostgreSQL. They remember nothing that they have read, so reads
// may go to either.
func TestHistoriesOnTwoNodesAreLinearizable(t *testing.T) {
	url := pgtest.URL(t)
	one, other := newService(t, dbtest.Open(t, url), nil), newService(t, dbtest.Open(t, url), nil)
	calls := callsTo("update", "create", "get", "list", "delete", "update", "list", "get", "count")
	checkHistories(t, dbtest.Open(t, url), calls, one, other)
}
