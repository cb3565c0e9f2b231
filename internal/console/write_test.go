package console

import (
	"context"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
)

// No page writes. On SQLite one transaction writes at a time, so a page that writes would
// wait for the one of this test, and fail.
func TestPagesDoNotWrite(t *testing.T) {
	f := withCatalog(t)
	f.api(t, "POST", "/v2/customers", `{"first_name":"Ann","last_name":"Lee","email":"ann@example.com"}`)
	f.api(t, "POST", "/v3/hooks", `{"scope":"store/customer/*","destination":"https://hooks.example/in","is_active":true}`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := f.db.Update(ctx, func(*db.Tx) error {
		for _, r := range f.routes() {
			// The health of a server includes that it can write a row of its own. A stream
			// does not end.
			if r.method != "GET" || r.path == "health" || r.waits {
				continue
			}
			path := Prefix + strings.NewReplacer("{hash}", "abc", "{id}", "1", "{page}", "wire", "{operation}", "createGroup").Replace(r.path)
			f.get(t, path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
