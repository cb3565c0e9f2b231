package service_test

import (
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

func TestDatabaseInfo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		i, err := service.New(d).DatabaseInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		name, version, _ := strings.Cut(i.Engine, " ")
		if name != "SQLite" && name != "PostgreSQL" || version == "" || i.Schema < 38 || i.Bytes < 100_000 {
			t.Errorf("%+v", i)
		}
	})
}
