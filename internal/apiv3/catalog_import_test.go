package apiv3_test

import (
	"net/http"
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
)

// While an import is being merged, a change of the catalog is 503 with Retry-After.
func TestCatalogChangeDuringImport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := servertest.Start(t, d, server.Options{})
		vars, now := s.V3Vars(t), time.Now()
		lease := db.ImportLease{StoreKey: "abc", Owner: "importer", Now: now, Until: now.Add(time.Hour)}
		if err := d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := tx.BeginImport(lease)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		res := servertest.Send(t, http.MethodPut, s.URL+"/stores/abc/v3/catalog/products/1", vars["token"], `{"name":"x"}`)
		const want = `{"status":503,"title":"An import into this store's catalog is being finished. Please try again in a moment.",` +
			`"type":"https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes","errors":{}}`
		if res.Status != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "1" || res.Body != want {
			t.Errorf("%d %v %s", res.Status, res.Header, res.Body)
		}
	})
}
