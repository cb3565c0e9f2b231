package console

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestPastMember(t *testing.T) {
	f := newFixture(t)
	f.fillCatalog(t)
	if err := f.svc.Clocks().Advance(f.store.Key, time.Hour); err != nil {
		t.Fatal(err)
	}
	f.api(t, "PUT", "/v2/customers/1", `{"customer_group_id":0}`)
	path := f.path("customers", "1", "as-of")
	page := f.get(t, path+"?at=2026-11-03+09:30")
	golden(t, "member-past", regexp.MustCompile("Request [0-9a-f]{32}").ReplaceAllString(page, "Request ID"))
	if strings.Contains(page, "<img") {
		t.Error("a name is HTML")
	}
	page = f.get(t, path+"?at=2026-11-03T10:30:00Z")
	for _, want := range []string{"<dt>Group</dt><dd>none</dd>", "Customer 1 left group 1", "cohort group member 1 --store abc --as-of 2026-11-03T10:30:00Z"} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in\n%s", want, page)
		}
	}
	if page := f.get(t, path); !strings.Contains(page, "Give a time to see") {
		t.Error(page)
	}
	page = f.send(t, "GET", f.path("customers", "9", "as-of")+"?at=2026-11-03+09:30", nil, http.StatusUnprocessableEntity)
	if !strings.Contains(page, `at-error">There was no customer with this id at that time.`) {
		t.Error(page)
	}
}
