package console

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// change makes changes of all doors: a token, the console and the command line.
func (f *fixture) change(t *testing.T) {
	t.Helper()
	f.fillCatalog(t)
	console := service.WithExplanation(service.ForActor(t.Context(), cohort.ActorConsole), "ann", "ticket 4711")
	if _, err := f.svc.UpdateGroup(console, f.store.Key, 1, cohort.GroupUpdate{Name: new(script + " EU"), DiscountRules: new([]cohort.DiscountRule{})}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.svc.UpdateCustomer(t.Context(), f.store.Key, 1, cohort.CustomerUpdate{GroupID: new(int64(2)), Notes: new(strings.Repeat("long ", 1000)), Company: new("=cmd()")}); err != nil {
		t.Fatal(err)
	}
	f.api(t, "DELETE", "/v2/customer_groups/1", "")
}

func TestAudit(t *testing.T) {
	f := newFixture(t)
	f.change(t)
	page := f.get(t, f.path("audit")+"?kind=customerGroup.*")
	golden(t, "audit", regexp.MustCompile("Request [0-9a-f]{32}").ReplaceAllString(page, "Request ID"))
	for query, want := range map[string]string{
		"":                              "Group 1 &lt;img src=x onerror=alert(1)&gt; EU was deleted",
		"?actor=ann":                    "discount rules changed; name changed from &lt;img src=x onerror=alert(1)&gt; to &lt;img src=x onerror=alert(1)&gt; EU",
		"?group=1":                      "<td class=\"break who\">console: ann<br><span class=\"soft\">ticket 4711</span>",
		"?customer=1":                   "company set to =cmd()",
		"?group=1&customer=1":           "/groups/1/as-of\">Group 1 at a time</a> · <a href=\"/console/stores/abc/customers/1/as-of\">",
		"?product=2":                    "Product 2 Hidden &lt;img",
		"?kind=priceList.*":             "The assignment of price list 1 in channel 1 was created",
		"?kind=priceList.record.*":      "no events of the type priceList.record.*",
		"?kind=brand.created":           "No event passes the filter.",
		"?group=x":                      `group-error">Give the id of a group.`,
		"?before=-3":                    "Give the number of an event.",
		"?kind=customerGroup.created":   "cohort events --store abc --type customerGroup.created",
		"?group=1&kind=customerGroup.*": "cohort group history 1 --store abc --members",
		"?customer=1&actor=nobody":      "/cohort/v1/customers/1/history",
	} {
		status := http.StatusOK
		if strings.Contains(want, "Give") || strings.Contains(want, "no events of") {
			status = http.StatusUnprocessableEntity
		}
		page := f.send(t, "GET", f.path("audit")+query, nil, status)
		if !strings.Contains(page, want) {
			t.Errorf("%s: %s is not in\n%s", query, want, page)
		}
		if strings.Contains(page, "<img") {
			t.Errorf("%s: a name is HTML", query)
		}
	}
}

// Each event is on one page, the newest first.
func TestAuditPages(t *testing.T) {
	f := newFixture(t)
	for i := range 60 {
		f.api(t, "POST", "/v2/customer_groups", fmt.Sprintf(`{"name":"Group %d"}`, i))
	}
	first := f.get(t, f.path("audit"))
	if strings.Count(first, "was created") != pageSize || strings.Contains(first, "Newest") {
		t.Error(first)
	}
	at := strings.Index(first, f.path("audit")+"?before=")
	if at < 0 {
		t.Fatal(first)
	}
	older, _, _ := strings.Cut(first[at:], `"`)
	second := f.get(t, older)
	if strings.Count(second, "was created") != 10 || !strings.Contains(second, `href="`+f.path("audit")+`">Newest`) || strings.Contains(second, "Older") {
		t.Error(second)
	}
}

// A store without events says how to have some.
func TestAuditOff(t *testing.T) {
	f := newFixture(t)
	if _, err := f.svc.UpdateStore(t.Context(), "abc", cohort.StoreUpdate{Events: new(false)}); err != nil {
		t.Fatal(err)
	}
	if page := f.get(t, f.path("audit")); !strings.Contains(page, "cohort store update abc --events on") {
		t.Error(page)
	}
}

// An export has the events of the filter, all fields of them, and no formulas.
func TestAuditExport(t *testing.T) {
	f := newFixture(t)
	f.change(t)
	text := f.get(t, f.path("audit", "export")+"?format=csv&customer=1")
	if got := f.last.Header.Get("Content-Disposition"); got != "attachment; filename=abc-events.csv" {
		t.Errorf("Content-Disposition %q", got)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("long ", 1000)
	for _, want := range [][]string{{"field", "before", "after"}, {"company", `""`, "'=cmd()"}, {"notes", `""`, long}} {
		if !slices.ContainsFunc(rows, func(row []string) bool { return slices.Equal(row[len(row)-3:], want) }) {
			t.Errorf("no row has %.100q:\n%s", want, text)
		}
	}
	var last int64
	lines := bytes.Split(bytes.TrimSpace([]byte(f.get(t, f.path("audit", "export")+"?format=jsonl"))), []byte("\n"))
	for i, line := range lines {
		var e api.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if i > 0 && e.Number >= last {
			t.Errorf("event %d comes after %d", e.Number, last)
		}
		last = e.Number
	}
	if last != 1 {
		t.Errorf("the last event of %d has the number %d", len(lines), last)
	}
	f.send(t, "GET", f.path("audit", "export")+"?format=xls", nil, http.StatusBadRequest)
	f.send(t, "GET", f.path("audit", "export")+"?format=csv&kind=x", nil, http.StatusUnprocessableEntity)
}

// Every kind of event has a sentence of its own.
func TestEventWords(t *testing.T) {
	w := eventWords{groups: map[int64]string{3: "VIP"}}
	var text strings.Builder
	for _, k := range cohort.EventKinds() {
		e := cohort.Event{Kind: k, Changes: json.RawMessage(`{"name":["A","B"],"list":[[1],[2]],"secret":null,"x":[1,2],"y":[1,2]}`), EventIDs: cohort.EventIDs{
			GroupID: 3, CustomerID: 4, AddressID: 5, AttributeID: 6, ChannelID: 7, PriceListID: 8, AssignmentID: 9, CategoryID: 10, BrandID: 11,
			ProductID: 12, VariantID: 13, Currency: "USD",
		}}
		fields, err := fieldsOf(e)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s: %s\n", k, w.tell(e, fields))
	}
	golden(t, "audit-words", "<main"+text.String())
}
