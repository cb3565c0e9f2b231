package apiv2

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// oddNames are names that a filter could misread: as a wildcard, a placeholder, a
// quote, an escape, or another name.
var oddNames = []string{
	"%", "_", "a_c", "a%c", "abc", "?", "$1", "$2", ":a", "@a", "'", "''", `"`, "`", `\`, `\\`, `\x41`, `\u0041`, "A", ";", "--", "/*", "NULL",
	"true", "0", "[a]", "*", "+", "a b", "a  b", "a\u00a0b", "tab\tbed", "line\nend", "\u200b", "\ufeffx", "\u202ex", "\U0001f6d2", "\uffff", "é", "e\u0301!", "ﬁ",
}

// A filter matches exactly its own text, also for names with special characters.
func TestFilterMatchesOddNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHandler(t, d)
		for _, name := range oddNames {
			if _, err := h.svc.CreateGroup(t.Context(), testStore, cohort.Group{Name: name}); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range oddNames {
			if got := call(h.countGroups, http.MethodGet, "?name="+url.QueryEscape(name), "").Body.String(); got != `{"count":1}` {
				t.Errorf("groups with the name %q: %s", name, got)
			}
			matches := 0
			for _, other := range oddNames {
				if strings.Contains(db.Fold(other), db.Fold(name)) {
					matches++
				}
			}
			want := fmt.Sprintf(`{"count":%d}`, matches)
			if got := call(h.countGroups, http.MethodGet, "?name:like="+url.QueryEscape(name), "").Body.String(); got != want {
				t.Errorf("groups with %q in their name: %s, want %s", name, got, want)
			}
		}
	})
}

// The databases accept the largest values that a filter accepts.
func TestFilterLargestValues(t *testing.T) {
	long, largest := strings.Repeat("x", 10_000), strconv.Itoa(math.MaxInt64)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHandler(t, d)
		mustCreateCustomers(t, h.svc, 1)
		if _, err := h.svc.CreateGroup(t.Context(), testStore, cohort.Group{Name: "x"}); err != nil {
			t.Fatal(err)
		}
		for query, list := range map[string]api.Handler{
			"name=" + long:      h.listGroups,
			"name:like=" + long: h.listGroups,
			"page=" + largest:   h.listGroups,
			"page=" + largest + "&limit=250&name:like=x":   h.listGroups,
			"min_date_created=9999-12-31":                  h.listCustomers,
			"email=" + long:                                h.listCustomers,
			"company=" + long:                              h.listCustomers,
			"min_id=" + largest:                            h.listCustomers,
			"customer_group_id=" + largest:                 h.listCustomers,
			"page=" + largest + "&limit=250&company=" + "": h.listCustomers,
		} {
			if w := call(list, http.MethodGet, "?"+query, ""); w.Code != http.StatusNoContent {
				t.Errorf("%.40s: %d %s", query, w.Code, w.Body)
			}
		}
	})
}
