package console

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

// withMembers is a fixture with two groups and some customers of the first one.
func withMembers(t *testing.T, n int) *fixture {
	t.Helper()
	f := newFixture(t)
	f.api(t, "POST", "/v2/customer_groups", `{"name":"<img src=x onerror=alert(1)>"}`)
	f.api(t, "POST", "/v2/customer_groups", `{"name":"Retail"}`)
	for i := range n {
		_, err := f.svc.CreateCustomer(t.Context(), f.store.Key, cohort.CustomerUpdate{
			FirstName: new("<b>Ann</b>"), LastName: new(fmt.Sprint("Lee ", i+1)), Email: new(fmt.Sprintf("ann%d@example.com", i+1)), GroupID: new(int64(1)),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// members returns the number of members of a group.
func (f *fixture) members(t *testing.T, group int64) int64 {
	t.Helper()
	n, err := f.svc.CountMembers(t.Context(), f.store.Key, group)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMembers(t *testing.T) {
	f := newFixture(t)
	wantAll(t, f.get(t, f.path("members")), "This store has no customers yet.")
	f = withMembers(t, 2*pageSize+3)
	page := f.get(t, f.path("members"))
	wantAll(t, page, "ann1@example.com", "ann50@example.com", "&lt;b&gt;Ann&lt;/b&gt; Lee 1", `rel="next" href="/console/stores/abc/members?after=50"`)
	if strings.Contains(page, "<b>") || strings.Contains(page, "<img") || strings.Contains(page, `rel="prev"`) {
		t.Error(page)
	}
	page = f.get(t, f.path("members")+"?after=50&group=1")
	wantAll(t, page, "103 customers are in this group", "ann51@example.com", `?after=100&amp;group=1"`, `?before=51&amp;group=1"`)
	page = f.get(t, f.path("members")+"?after=100")
	wantAll(t, page, "ann103@example.com", `rel="prev"`)
	if strings.Contains(page, `rel="next"`) {
		t.Error(page)
	}
	page = f.get(t, f.path("members")+"?before=51")
	wantAll(t, page, "ann1@example.com", "ann50@example.com", `rel="next" href="/console/stores/abc/members?after=50"`)
	if strings.Contains(page, `rel="prev"`) {
		t.Error(page)
	}
	for query, want := range map[string]string{
		"q=ANN7@example.com": "ann7@example.com", "q=9": "ann9@example.com", "q=lee+12": "ann12@example.com", "q=none@example.com": "No customer is here.",
		"group=0": "No customer is here.", "group=2": "No customer is here.",
	} {
		wantAll(t, f.get(t, f.path("members")+"?"+query), want)
	}
	f.send(t, "GET", f.path("members")+"?group=x", nil, 404)
}

// A move asks first, with numbers, and moves what was confirmed.
func TestMoveMembers(t *testing.T) {
	f := withMembers(t, 5)
	form := url.Values{"customer": {"1", "2"}, "list": {"ann3@example.com\nnobody@example.com\n"}, "to": {"2"}}
	page := f.post(t, f.path("members", "move"), form, 200)
	wantAll(t, page, "<h1>Move customers to Retail</h1>", "<strong>3</strong>", "nobody@example.com", `name="moving" value="3"`)
	if n := f.members(t, 2); n != 0 {
		t.Errorf("the page has moved %d", n)
	}
	// A list of ids and of addresses moves in two steps.
	confirmed := url.Values{"list": {"1\n2\nann3@example.com\nnobody@example.com\n"}, "to": {"2"}, "moving": {"3"}, "moved": {"0"}, "reason": {"a contract"}}
	page = f.post(t, f.path("members", "move"), confirmed, 200)
	wantAll(t, page, "<strong>2</strong> moved", `name="moving" value="1"`, `name="moved" value="2"`, "Stop here")
	f.post(t, f.path("members", "move"), url.Values{"list": {"ann3@example.com\nnobody@example.com\n"}, "to": {"2"}, "moving": {"1"}, "moved": {"2"}}, 303)
	if n := f.members(t, 2); n != 3 {
		t.Errorf("%d members", n)
	}
	// The numbers have changed, so it asks again.
	page = f.post(t, f.path("members", "move"), url.Values{"list": {"4\n5"}, "to": {"2"}, "moving": {"1"}, "moved": {"0"}}, 409)
	wantAll(t, page, "has changed since you confirmed it", `name="moving" value="2"`)
}

// A list that is wrong comes back as it was typed, with the line.
func TestMoveRefused(t *testing.T) {
	f := withMembers(t, 1)
	page := f.post(t, f.path("members", "move"), url.Values{"list": {"email\nann1@example.com\n<b>x</b>\n"}, "to": {"2"}}, 422)
	wantAll(t, page, "Line 3: &#34;&lt;b&gt;x&lt;/b&gt;&#34; is neither an id", "ann1@example.com", `<option value="2" selected>`)
	wantAll(t, f.post(t, f.path("members", "move"), url.Values{"to": {"2"}}, 422), "Choose customers")
	wantAll(t, f.post(t, f.path("members", "move"), url.Values{"customer": {"1"}}, 422), "Choose the group")
	f.post(t, f.path("members", "move"), url.Values{"customer": {"1"}, "to": {"9"}}, 404)
	f.post(t, f.path("members", "move"), url.Values{"customer": {"1"}, "to": {"2"}, "moving": {"1"}}, 400)
	if n := f.members(t, 1); n != 1 {
		t.Errorf("%d members", n)
	}
}

func TestParseMembers(t *testing.T) {
	l, err := parseMembers("E-mail;Name\n\"ann@example.com\";Ann\n7,Bob\n\n\ufeff8\t\r\n")
	if err != nil || fmt.Sprint(l) != "{[7 8] [ann@example.com]}" {
		t.Errorf("%v, %v", l, err)
	}
	for _, text := range []string{"", "heading\n", "1\nx\n", "1\n-2\n", strings.Repeat("1\n", maxMoved+1)} {
		if l, err := parseMembers(text); cohort.KindOf(err) != cohort.KindInvalid {
			t.Errorf("%.20q: %d, %v", text, l.len(), err)
		}
	}
	big := memberList{ids: make([]int64, service.MaxBulkMembers+1), emails: []string{"a"}}
	for _, want := range []int{service.MaxBulkMembers, 1, 1} {
		var m service.MemberMove
		if m, big = big.slice(); len(m.IDs)+len(m.Emails) != want {
			t.Errorf("a slice has %d, want %d", len(m.IDs)+len(m.Emails), want)
		}
	}
}

// A file is read as the list.
func TestMoveFile(t *testing.T) {
	f := withMembers(t, 2)
	upload := func(text string) *httptest.ResponseRecorder {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for name, value := range map[string]string{"to": "2", "list": ""} {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		file, err := w.CreateFormFile("file", "members.csv")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), "POST", f.path("members", "move"), &body)
		r.Host = "localhost"
		r.Header.Set("Content-Type", w.FormDataContentType())
		answer := httptest.NewRecorder()
		f.ServeHTTP(answer, r)
		return answer
	}
	if w := upload("email,name\nann1@example.com,Ann\nann2@example.com,Bob\n"); w.Code != 200 || !strings.Contains(w.Body.String(), `name="moving" value="2"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := upload(strings.Repeat("ann1@example.com\n", maxForm/10)); w.Code != 413 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestCustomer(t *testing.T) {
	f := withMembers(t, 1)
	f.api(t, "POST", "/v2/customers/1/addresses", `{"first_name":"Ann","last_name":"Lee","street_1":"1 Road","city":"Austin","state":"Texas","zip":"78701","phone":"1","country":"United States"}`)
	f.api(t, "POST", "/v3/customers/attributes", `[{"name":"Tier","type":"string"}]`)
	f.api(t, "PUT", "/v3/customers/attribute-values", `[{"customer_id":1,"attribute_id":1,"value":"<i>gold</i>"}]`)
	page := f.get(t, f.path("customers", "1"))
	wantAll(t, page, "&lt;b&gt;Ann&lt;/b&gt; Lee 1", "1 Road", "<dt>Tier</dt><dd>&lt;i&gt;gold&lt;/i&gt;</dd>", `name="seen" value="1"`, "?for=customer&amp;id=1")
	f.post(t, f.path("customers", "1", "group"), url.Values{"to": {"2"}, "seen": {"1"}}, 303)
	if n := f.members(t, 2); n != 1 {
		t.Errorf("%d members", n)
	}
	wantAll(t, f.post(t, f.path("customers", "1", "group"), url.Values{"to": {"1"}, "seen": {"1"}}, 409), "Another operator or a client has moved the customer meanwhile.")
	f.post(t, f.path("customers", "1", "group"), url.Values{"to": {"9"}, "seen": {"2"}}, 422)
	f.post(t, f.path("customers", "1", "group"), url.Values{"to": {""}, "seen": {"2"}}, 422)
	f.post(t, f.path("customers", "1", "group"), url.Values{"to": {"2"}, "seen": {"2"}}, 303)
	f.send(t, "GET", f.path("customers", "9"), nil, 404)
	f.post(t, f.path("customers", "9", "group"), url.Values{"to": {"2"}, "seen": {"1"}}, 404)
}
