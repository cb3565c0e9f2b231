package console

import (
	"net/url"
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// withCatalog is a fixture with categories, a product, a price list and a group.
func withCatalog(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	for _, body := range []string{`{"name":"Shirts","parent_id":0}`, `{"name":"Linen","parent_id":1}`, `{"name":"<img src=x onerror=alert(1)>","parent_id":0}`} {
		f.api(t, "POST", "/v3/catalog/categories", body)
	}
	f.api(t, "POST", "/v3/catalog/products", `{"name":"Linen shirt","type":"physical","weight":1,"price":29.95,"categories":[2]}`)
	f.api(t, "POST", "/v3/pricelists", `{"name":"Trade"}`)
	f.api(t, "POST", "/v2/customer_groups", `{"name":"Wholesale","category_access":{"type":"specific","categories":[2,99]},"discount_rules":[{"type":"category","category_id":1,"method":"percent","amount":5}]}`)
	return f
}

// typed is what a browser sends for the group of withCatalog, with some fields changed.
func (f *fixture) typed(t *testing.T, change url.Values) url.Values {
	t.Helper()
	g, err := f.svc.Group(t.Context(), f.store.Key, 1)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{
		"name": {g.Name}, "access": {"specific"}, "category": {"2"}, "categories": {"99"}, "seen": {versionOf(g)}, "do": {"save"},
		"rule_type": {"category"}, "rule_target": {"1"}, "rule_method": {"percent"}, "rule_amount": {"5"},
	}
	for name, values := range change {
		form[name] = values
	}
	return form
}

func (f *fixture) group(t *testing.T, id int64) cohort.Group {
	t.Helper()
	g, err := f.svc.Group(t.Context(), f.store.Key, id)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGroupPage(t *testing.T) {
	f := withCatalog(t)
	golden(t, "group", f.get(t, f.path("groups", "1")))
	golden(t, "group-new", f.get(t, f.path("groups", "new")))
	f.send(t, "GET", f.path("groups", "2"), nil, 404)
	f.send(t, "GET", f.path("groups", "x"), nil, 404)
}

// A form that was not changed saves the group as it is.
func TestSaveGroup(t *testing.T) {
	f := withCatalog(t)
	before := f.group(t, 1)
	f.post(t, f.path("groups", "1"), f.typed(t, nil), 303)
	if diff := cmp.Diff(before, f.group(t, 1)); diff != "" {
		t.Error(diff)
	}
	f.post(t, f.path("groups", "1"), f.typed(t, url.Values{
		"name": {" Trade "}, "is_default": {"on"}, "access": {"all"}, "reason": {"a new contract"},
		"rule_type": {"all", "product"}, "rule_target": {"", "1"}, "rule_method": {"price", "fixed"}, "rule_amount": {"2.50", "20"},
	}), 303)
	want := cohort.Group{
		ID: 1, Name: "Trade", IsDefault: true, CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll}, DateCreated: now(), DateModified: now(),
		DiscountRules: []cohort.DiscountRule{
			{Type: cohort.RuleAll, Method: cohort.MethodPrice, Amount: decimal.RequireFromString("2.50")},
			{Type: cohort.RuleProduct, TargetID: 1, Method: cohort.MethodFixed, Amount: decimal.RequireFromString("20")},
		},
	}
	if diff := cmp.Diff(want, f.group(t, 1)); diff != "" {
		t.Error(diff)
	}
	events, err := f.svc.Events(t.Context(), f.store.Key, cohort.EventFilter{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	last := events.Events[len(events.Events)-1]
	if last.Actor != cohort.ActorConsole || last.Reason != "a new contract" {
		t.Errorf("%+v", last)
	}
}

// A refused form keeps what was typed, and changes nothing.
func TestSaveGroupRefused(t *testing.T) {
	f := withCatalog(t)
	before := f.group(t, 1)
	for want, change := range map[string]url.Values{
		"Rule 1: It needs the id of what it is about.":               {"rule_target": {""}},
		"Rule 2: Its amount must be a number, such as 5 or 2.50.":    {"rule_type": {"all", "product"}, "rule_target": {"", "1"}, "rule_method": {"percent", "percent"}, "rule_amount": {"1", "much"}},
		"Rule 1: A percentage must not be more than 100.":            {"rule_amount": {"101"}},
		"There must be at most one rule for category 1.":             {"rule_type": {"category", "category"}, "rule_target": {"1", "1"}, "rule_method": {"percent", "percent"}, "rule_amount": {"1", "2"}},
		"&#34;x&#34; is not an id.":                                  {"categories": {"x"}},
		"At least one category id is required when the type is spec": {"category": nil, "categories": {""}},
		`id="name-error"`: {"name": {""}},
	} {
		change.Set("reason", "")
		page := f.post(t, f.path("groups", "1"), f.typed(t, change), 422)
		if !strings.Contains(page, want) || !strings.Contains(page, `role="alert"`) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
		for _, amount := range change["rule_amount"] {
			if !strings.Contains(page, `name="rule_amount" value="`+amount+`"`) {
				t.Errorf("the amount %q is lost in\n%s", amount, page)
			}
		}
	}
	if diff := cmp.Diff(before, f.group(t, 1)); diff != "" {
		t.Error(diff)
	}
}

// A form of an older version is not saved; saving again overwrites.
func TestSaveChangedGroup(t *testing.T) {
	f := withCatalog(t)
	form := f.typed(t, url.Values{"name": {"Mine"}})
	f.api(t, "PUT", "/v2/customer_groups/1", `{"name":"Theirs"}`)
	page := f.post(t, f.path("groups", "1"), form, 409)
	for _, want := range []string{`value="Mine"`, "<p>Theirs; 5% off category Shirts (1);", "Save and overwrite"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
	form.Set("seen", versionOf(f.group(t, 1)))
	f.post(t, f.path("groups", "1"), form, 303)
	if got := f.group(t, 1).Name; got != "Mine" {
		t.Error(got)
	}
}

// Rows of rules are added and removed without JavaScript, and nothing else is lost.
func TestRowsOfRules(t *testing.T) {
	f := withCatalog(t)
	page := f.post(t, f.path("groups", "1"), f.typed(t, url.Values{"do": {"add"}, "name": {"Typed"}}), 200)
	if strings.Count(page, `name="rule_type"`) != 2 || !strings.Contains(page, `value="Typed"`) {
		t.Error(page)
	}
	page = f.post(t, f.path("groups", "1"), f.typed(t, url.Values{"do": {"remove-0"}, "name": {"Typed"}}), 200)
	if strings.Contains(page, `name="rule_type"`) || !strings.Contains(page, `value="Typed"`) {
		t.Error(page)
	}
	f.post(t, f.path("groups", "1"), f.typed(t, url.Values{"do": {"remove-7"}}), 200)
	if got := f.group(t, 1).Name; got != "Wholesale" {
		t.Error(got)
	}
}

// A preview shows prices before and after, keeps what was typed, and saves nothing.
func TestPreviewGroup(t *testing.T) {
	f := withCatalog(t)
	before := f.group(t, 1)
	page := f.post(t, f.path("groups", "1"), f.typed(t, url.Values{"do": {"preview"}, "rule_amount": {"50"}, "access": {"none"}}), 200)
	for _, want := range []string{
		`<td class="number">28.45</td><td class="number"><strong>14.98</strong></td>`, `<span class="saved">-13.47</span>`, "no more", `name="rule_amount" value="50"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
	if diff := cmp.Diff(before, f.group(t, 1)); diff != "" {
		t.Error(diff)
	}
	page = f.post(t, f.path("groups", "new"), url.Values{"do": {"preview"}, "name": {"New"}, "access": {"all"}}, 200)
	if !strings.Contains(page, "instead of what shoppers in no group get") {
		t.Error(page)
	}
	f.post(t, f.path("groups", "1"), f.typed(t, url.Values{"do": {"preview"}, "rule_amount": {"x"}}), 422)
}

func TestCreateGroup(t *testing.T) {
	f := newFixture(t)
	page := f.post(t, f.path("groups", "new"), url.Values{"access": {"all"}}, 422)
	if !strings.Contains(page, `id="name-error"`) {
		t.Error(page)
	}
	f.post(t, f.path("groups", "new"), url.Values{"name": {"Trade"}, "access": {"none"}, "do": {"save"}}, 303)
	if got := f.last.Header.Get("Location"); got != f.path("groups", "1") {
		t.Error(got)
	}
	if got := f.group(t, 1); got.Name != "Trade" || got.CategoryAccess.Type != cohort.AccessNone {
		t.Errorf("%+v", got)
	}
	f.post(t, f.path("groups", "new"), url.Values{"name": {"TRADE"}, "access": {"all"}}, 422)
}

func TestCloneGroup(t *testing.T) {
	f := withCatalog(t)
	f.post(t, f.path("groups", "1", "clone"), url.Values{"name": {"Copy"}}, 303)
	if got := f.group(t, 2); got.Name != "Copy" || len(got.DiscountRules) != 1 {
		t.Errorf("%+v", got)
	}
	if page := f.post(t, f.path("groups", "1", "clone"), url.Values{"name": {"Copy"}}, 422); !strings.Contains(page, "The group was not copied.") {
		t.Error(page)
	}
}

// Deleting asks with the number of members, again if it has changed.
func TestDeleteGroup(t *testing.T) {
	f := withCatalog(t)
	f.api(t, "POST", "/v2/customers", `{"first_name":"Ann","last_name":"Lee","email":"ann@example.com","customer_group_id":1}`)
	f.api(t, "POST", "/v2/customer_groups", `{"name":"Retail","is_default":true}`)
	golden(t, "group-delete", f.post(t, f.path("groups", "1", "delete"), nil, 200))
	f.post(t, f.path("groups", "1", "delete"), url.Values{"members": {"0"}, "to": {"2"}}, 409)
	f.post(t, f.path("groups", "1", "delete"), url.Values{"members": {"1"}}, 409)
	f.post(t, f.path("groups", "1", "delete"), url.Values{"members": {"1"}, "to": {"x"}}, 400)
	f.post(t, f.path("groups", "1", "delete"), url.Values{"members": {"1"}, "to": {"2"}}, 303)
	f.send(t, "GET", f.path("groups", "1"), nil, 404)
	c, err := f.svc.Customer(t.Context(), f.store.Key, 1)
	if err != nil || c.GroupID != 2 {
		t.Errorf("%+v, %v", c, err)
	}
}
