package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/reference"
)

// Each operation of the document has a page, and examples of bodies are JSON.
func TestReferencePages(t *testing.T) {
	f := newFixture(t)
	list := f.get(t, Prefix+"reference")
	if len(list) > 80_000 {
		t.Errorf("the list has %d bytes", len(list))
	}
	d := reference.API()
	if len(d.Operations) < 200 {
		t.Fatalf("%d operations", len(d.Operations))
	}
	for _, o := range d.Operations {
		wantAll(t, list, `href="`+operationPath(o.ID)+`"`)
		page := f.get(t, operationPath(o.ID))
		if len(page) > 80_000 {
			t.Errorf("%s: the page has %d bytes", o.ID, len(page))
		}
		if got, want := strings.Contains(page, "<form class=\"card\""), o.OfStore() && !o.Streams(); got != want {
			t.Errorf("%s: the form is there: %v", o.ID, got)
		}
		b := o.Body()
		if b == nil || !strings.HasSuffix(b.Key, "json") {
			continue
		}
		for _, e := range d.ExamplesOf(b.Value) {
			if !json.Valid([]byte(e.Text)) {
				t.Errorf("%s: the example %s is no JSON: %s", o.ID, e.Name, e.Text)
			}
		}
		if made := d.Parts.ExampleOf(b.Value.Schema, 0, nil); !json.Valid([]byte(made)) {
			t.Errorf("%s: the example from the schema is no JSON: %s", o.ID, made)
		}
	}
	f.send(t, "GET", Prefix+"reference/none", nil, http.StatusNotFound)
}

func TestReference(t *testing.T) {
	f := newFixture(t)
	golden(t, "reference", f.get(t, Prefix+"reference?q=customer+group+create"))
	golden(t, "reference-create", f.get(t, Prefix+"reference/createGroup"))
	golden(t, "reference-control", f.get(t, Prefix+"reference/getClock"))
	page := f.get(t, Prefix+"reference?family=channels")
	wantAll(t, page, "<h2>channels</h2>", `<option value="channels" selected>`)
	if strings.Contains(page, "<h2>groups</h2>") {
		t.Error("another family is shown")
	}
	wantAll(t, f.get(t, Prefix+"reference?q=%3Cimg"), "No operation has these words.", `value="&lt;img"`)
}

func TestTryOperation(t *testing.T) {
	f := newFixture(t)
	const create = Prefix + "reference/createGroup"
	page := f.post(t, create, url.Values{"store": {"abc"}, "body": {`{"name":"<img src=x onerror=alert(1)>"}`}}, 200)
	wantAll(t, page, `<span class="tag good">200 OK</span>`, "<dt>X-Request-Id</dt>", `&#34;name&#34;: &#34;&lt;img src=x`, `href="/console/stores/abc/requests/1"`, secret)
	if strings.Contains(page, "<img") {
		t.Error(page)
	}
	page = f.post(t, Prefix+"reference/listGroups", url.Values{"store": {"abc"}, "query.limit": {"7"}, "query.name:like": {"IMG"}}, 200)
	wantAll(t, page, "200 OK", `value="IMG"`, "limit=7&amp;name%3Alike=IMG", "&lt;img src=x")
	page = f.post(t, create, url.Values{"store": {"abc"}, "header.Idempotency-Key": {"k"}, "body": {`{"name":""} <b>`}}, 200)
	wantAll(t, page, `<span class="tag warn">400 Bad Request</span>`, `{&#34;name&#34;:&#34;&#34;} &lt;b&gt;</textarea>`, `value="k"`)
	if got := f.Tests.Journal.Find(t.Context(), "abc", 0, &journal.Criteria{}); len(got) != 3 {
		t.Errorf("%d requests in the journal", len(got))
	}
}

// What the form cannot send is refused, and what was typed stays. The token does not.
func TestTryRefuses(t *testing.T) {
	f := newFixture(t)
	f.Tests.Store = "other"
	const get = Prefix + "reference/getGroup"
	for field, form := range map[string]url.Values{
		"store":         {"store": {"none"}, "path.id": {"77"}},
		"token":         {"store": {"abc"}, "path.id": {"77"}},
		"path.id":       {"store": {"abc"}, "path.id": {".."}, "token": {secret}},
		"header.If-N":   {"store": {"abc"}, "path.id": {"77"}, "header.If-None-Match": {"a\nb"}, "token": {secret}},
		"path.id-error": {"store": {"abc"}, "token": {secret}},
	} {
		page := f.post(t, get, form, http.StatusUnprocessableEntity)
		wantAll(t, page, `class="problem"`, `id="`+field)
		if form.Get("path.id") == "77" {
			wantAll(t, page, `value="77"`)
		}
		if strings.Contains(page, secret) {
			t.Errorf("%s: the page has the token", field)
		}
	}
	wantAll(t, f.post(t, get, url.Values{"store": {"abc"}, "path.id": {"77"}, "token": {secret}}, 200), "404 Not Found")
	wantAll(t, f.post(t, get, url.Values{"store": {"abc"}, "path.id": {"77"}, "token": {"wrong"}}, 200), "401 Unauthorized")
	if got := f.Tests.Journal.Find(t.Context(), "abc", 0, &journal.Criteria{}); len(got) != 2 {
		t.Errorf("%d requests were sent", len(got))
	}
	f.post(t, Prefix+"reference/getClock", url.Values{"store": {"abc"}}, http.StatusNotFound)
	f.API = nil
	if page := f.get(t, get); strings.Contains(page, `<form class="card"`) {
		t.Error("the form is there without an API")
	}
	f.post(t, get, url.Values{"store": {"abc"}, "path.id": {"1"}}, http.StatusNotFound)
}

// A page keeps the beginning of a long response.
func TestTriedBodyIsBounded(t *testing.T) {
	f := newFixture(t)
	f.API = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 2 * maxTried / 1024 {
			_, _ = w.Write([]byte(strings.Repeat("<", 1024)))
		}
	})
	page := f.post(t, Prefix+"reference/listGroups", url.Values{"store": {"abc"}}, 200)
	wantAll(t, page, "Only the beginning: it has 128.0 KiB.")
	if got := strings.Count(page, "&lt;"); got < maxTried || got > maxTried+100 {
		t.Errorf("%d characters are shown", got)
	}
}
