package seed_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/catalogfile"
	"cohort.example/cohort/internal/catalogfile/catalogtest"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// word draws texts that YAML may have to quote, never empty.
var word = rapid.Custom(func(t *rapid.T) string {
	return "w" + rapid.StringOfN(rapid.SampledFrom([]rune("ab 1\t,;:\"'\\<>&=/{}[]#-é日\u2028\U0001F600")), 0, 10, -1).Draw(t, "text") + "w"
})

// drawn draws a seed without a catalog, as JSON.
func drawn(t *rapid.T) string {
	quote := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	maybe := func(label, format string, args ...any) string {
		if rapid.Bool().Draw(t, label) {
			return ""
		}
		return fmt.Sprintf(","+format, args...)
	}
	var groups, lists, customers, channels []string
	date := func() string {
		return fmt.Sprintf("20%02d-0%d-03T04:05:06Z", rapid.IntRange(10, 99).Draw(t, "year"), rapid.IntRange(1, 9).Draw(t, "month"))
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "channels") {
		channels = append(channels, fmt.Sprintf(`{"name":%s,"type":"pos","platform":"square"}`, quote(fmt.Sprint("Till-", i))))
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "groups") {
		rules := rapid.SampledFrom([]string{"[]", `[{"type":"all","method":"percent","amount":5.25}]`}).Draw(t, "rules")
		groups = append(groups, fmt.Sprintf(`{"name":%s,"discount_rules":%s%s%s%s}`, quote(fmt.Sprint(i, word.Draw(t, "name"))), rules,
			maybe("id", `"id":%d`, 10*i+rapid.IntRange(1, 9).Draw(t, "id")),
			maybe("date", `"date_modified":%q`, date()),
			maybe("access", `"category_access":{"type":"none"}`)))
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "lists") {
		lists = append(lists, fmt.Sprintf(`{"name":%s%s%s}`, quote(fmt.Sprint(i, word.Draw(t, "name"))),
			maybe("active", `"active":%t`, rapid.Bool().Draw(t, "is active")), maybe("date", `"date_created":%q`, date())))
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "customers") {
		addresses := make([]string, rapid.IntRange(0, 3).Draw(t, "addresses"))
		for j := range addresses {
			addresses[j] = fmt.Sprintf(`{"first_name":%s,"last_name":"L","address1":"%d Road","city":"C","state_or_province":"Texas","postal_code":"1","country_code":"US"%s}`,
				quote(word.Draw(t, "name")), j, maybe("id", `"id":%d`, 20*i+10-j))
		}
		group := maybe("group", `"customer_group_id":%d`, 0)
		if len(groups) > 0 && rapid.Bool().Draw(t, "member") {
			var g struct {
				Name string `json:"name"`
			}
			if err := json.Unmarshal([]byte(groups[rapid.IntRange(0, len(groups)-1).Draw(t, "which")]), &g); err != nil {
				t.Fatal(err)
			}
			group = `,"customer_group_id":` + quote(g.Name)
		}
		customers = append(customers, fmt.Sprintf(`{"email":"c%d@example.com","first_name":%s,"last_name":"L"%s%s%s%s,"addresses":[%s]}`, i, quote(word.Draw(t, "first")),
			group, maybe("notes", `"notes":%s`, quote(word.Draw(t, "notes"))), maybe("credit", `"store_credit_amounts":[{"amount":%d.5}]`, i),
			maybe("date", `"date_created":%q,"date_modified":%q`, date(), date()), strings.Join(addresses, ",")))
	}
	var hooks []string
	for i := range rapid.IntRange(0, 3).Draw(t, "hooks") {
		hooks = append(hooks, fmt.Sprintf(`{"scope":%q,"destination":"https://app.example/%d"%s%s%s}`,
			rapid.SampledFrom(cohort.HookScopes()[:9]).Draw(t, "scope"), i, maybe("token", `"token":%q`, rapid.SampledFrom([]string{"shop", "app"}).Draw(t, "owner")),
			maybe("active", `"is_active":%t`, rapid.Bool().Draw(t, "is active")), maybe("headers", `"headers":{"X-Key":"a%d"}`, i)))
	}
	section := func(name string, items []string) string {
		return fmt.Sprintf("%q:[%s]", name, strings.Join(items, ","))
	}
	return "{" + strings.Join([]string{
		section("channels", channels), section("customer_groups", groups), section("price_lists", lists), section("customers", customers),
		section("hooks", hooks),
	}, ",\n") + "}"
}

// The store that an export makes has the same export, byte for byte, whatever has made the
// first store.
func TestExportOfAnExport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		runs, most := 0, testenv.Times(60, 6)
		rapid.Check(t, func(rt *rapid.T) {
			if runs++; runs > most {
				return
			}
			first, second := newSite(t, d, fmt.Sprint("first", runs)), newSite(t, d, fmt.Sprint("second", runs))
			text := drawn(rt)
			if _, err := first.load(t, text); err != nil {
				rt.Fatalf("%v\n%s", err, text)
			}
			first.importCatalog(t, catalogtest.Catalog(rt, catalogfile.JSONL))
			export := first.export(t)
			if _, err := second.load(t, export); err != nil {
				rt.Fatalf("%v\n%s", err, export)
			}
			if diff := cmp.Diff(export, second.export(t)); diff != "" {
				rt.Fatalf("(-first +second):\n%s", diff)
			}
		})
	})
}

func (s *site) importCatalog(t *testing.T, items []cohort.CatalogItem) {
	t.Helper()
	var file bytes.Buffer
	w := catalogfile.NewWriter(&file, catalogfile.JSONL, cohort.CatalogKinds())
	for _, item := range items {
		if err := w.Write(item); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.svc.ImportCatalog(t.Context(), s.store.Key, catalogfile.NewReader(&file, catalogfile.JSONL, "").Next, false); err != nil {
		t.Fatal(err)
	}
}
