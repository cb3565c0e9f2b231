package docsite

import (
	"bytes"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"cohort.example/cohort/docs"
	"cohort.example/cohort/internal/reference"
)

// Bounds of the files of the site, in bytes.
const (
	maxHTML  = 250_000
	maxIndex = 3_000_000
	maxSite  = 25_000_000
)

// files returns all files of a site.
func files(s *Site) map[string][]byte {
	found := map[string][]byte{}
	for _, name := range s.Names() {
		found[name], _ = s.File(name)
	}
	return found
}

// loadedFiles are the files of the site of this program.
var loadedFiles = sync.OnceValue(func() map[string][]byte { return files(Load()) })

// TestSite: no link is broken, no page is an orphan, each page has a text in Markdown, and files
// are bounded.
func TestSite(t *testing.T) {
	all := loadedFiles()
	for _, problem := range Check(all) {
		t.Error(problem)
	}
	total := 0
	for name, text := range all {
		total += len(text)
		most := map[string]int{".html": maxHTML, ".md": maxHTML, ".js": maxIndex}[path.Ext(name)]
		if len(text) == 0 || most > 0 && len(text) > most {
			t.Errorf("%s has %d bytes", name, len(text))
		}
		if path.Ext(name) == ".html" && (bytes.Count(text, []byte("<h1")) != 1 || bytes.Contains(text, []byte(" style=")) || bytes.Contains(text, []byte("<!-- raw"))) {
			t.Errorf("%s has a style, raw HTML, or not one first heading", name)
		}
	}
	if total > maxSite {
		t.Errorf("the site has %d bytes", total)
	}
	t.Logf("%d files, %d bytes; the search index %d, llms-full.txt %d", len(all), total, len(all["static/search-index.js"]), len(all["llms-full.txt"]))
}

// The same program makes the same bytes.
func TestSiteIsDeterministic(t *testing.T) {
	again, err := newSite(docs.Pages)
	if err != nil {
		t.Fatal(err)
	}
	first, second := loadedFiles(), files(again)
	if !maps.EqualFunc(first, second, bytes.Equal) {
		for name, text := range first {
			if !bytes.Equal(text, second[name]) {
				t.Errorf("%s differs", name)
			}
		}
	}
}

// Each page is in llms.txt and, with its text, in llms-full.txt.
func TestLists(t *testing.T) {
	s := Load()
	list, full := s.llms("docs/"), string(s.llmsFull())
	for i := range s.pages {
		p := &s.pages[i]
		if p.name == "search" || p.name == "index" {
			continue
		}
		if !strings.Contains(list, "](docs/"+p.name+".md)") {
			t.Errorf("llms.txt does not list %s", p.name)
		}
		text := p.markdown
		if p.searched != "" {
			text = p.searched
		}
		if !strings.Contains(full, text) {
			t.Errorf("llms-full.txt does not have %s", p.name)
		}
	}
	for _, m := range markdownLink.FindAllStringSubmatch(s.llms(""), -1) {
		if _, ok := s.File(m[2]); !ok {
			t.Errorf("llms.txt: %s leads nowhere", m[2])
		}
	}
}

// Each operation has a page, an example with a value for each parameter of its path, and an
// answer. Each of the tables names operations and sections that exist.
func TestOperations(t *testing.T) {
	d := reference.API()
	for _, e := range Examples() {
		o := e.Operation
		if strings.Contains(e.Request.URL, "{") || e.First != "" && d.Operation(e.First) == nil {
			t.Errorf("%s: %s, after %q", o.ID, e.Request.URL, e.First)
		}
		if _, ok := Answers()[o.ID]; !ok {
			t.Errorf("%s has no answer: go test ./cmd/cohort -run TestReferenceExamples -update", o.ID)
		}
		if rest, ok := strings.CutPrefix(o.Path, "/stores/{store_hash}"); ok && len(sectionsOf(rest)) == 0 {
			t.Errorf("%s has no section of the contract", o.ID)
		}
		text, _ := Load().File("reference/" + o.ID + ".md")
		for _, want := range []string{"## Evidence", "## Answer", "## Errors", "### curl", "### Node.js", "### Python", "### PHP", "### Ruby", "### Go", "### The answer"} {
			if !bytes.Contains(text, []byte("\n"+want+"\n")) {
				t.Errorf("%s has no %s", o.ID, want)
			}
		}
	}
	for id := range valuesOfExamples {
		if d.Operation(id) == nil {
			t.Errorf("there is no operation %s", id)
		}
	}
	for beginning, sections := range contractOf {
		if !slices.ContainsFunc(d.Operations, func(o *reference.Operation) bool {
			return begins(strings.TrimPrefix(o.Path, "/stores/{store_hash}"), beginning)
		}) {
			t.Errorf("no path begins with %s", beginning)
		}
		for _, name := range sections {
			if contract()[name] == nil {
				t.Errorf("%s: there is no section %s", beginning, name)
			}
		}
	}
}

// Each item of the lists of differences is on the page of each operation that it names, and names
// operations that exist. Each family of V3 has differences.
func TestDifferences(t *testing.T) {
	families := map[string]bool{
		"/v3/customers": true, "/v3/customers/addresses": true, "/v3/customers/attributes": true, "/v3/customers/attribute-values": true,
		"/v3/customers/form-field-values": true, "/v3/customers/{}/consent": true, "/v3/customers/metafields": true, "/v3/customers/{}/metafields": true,
		"/v3/customers/settings": true, "/v3/customers/validate-credentials": true, "/v3/segments": true, "/v3/shopper-profiles": true,
		"/v3/channels": true, "/v3/settings/store/profile": true, "/v3/settings/store/locale": true, "/v3/pricelists": true, "/v3/pricelists/records": true,
		"/v3/pricelists/{}/records": true, "/v3/pricelists/assignments": true, "/v3/pricelists/{}/assignments": true, "/v3/pricing/products": true,
		"/v3/hooks": true, "/v3/hooks/admin": true, "/v3/catalog/summary": true, "/v3/catalog/brands": true, "/v3/catalog/categories": true,
		"/v3/catalog/trees": true, "/v3/catalog/trees/categories": true, "/v3/catalog/products": true, "/v3/catalog/products/{}/images": true,
		"/v3/catalog/products/{}/options": true, "/v3/catalog/products/{}/modifiers": true, "/v3/catalog/products/{}/variants": true,
	}
	operations := reference.API().Operations
	for _, d := range allDifferences() {
		for _, about := range d.about {
			shown := map[string]bool{}
			for _, o := range operations {
				path, inStore := strings.CutPrefix(o.Path, "/stores/{store_hash}")
				if !inStore || !about.has(o.Method, path) {
					continue
				}
				shown[o.Method] = true
				delete(families, pathParameter.ReplaceAllString(path, "{}"))
				text, _ := Load().File("reference/" + o.ID + ".md")
				_, box, _ := strings.Cut(string(text), "> **Differs from the vendor**\n>\n")
				if !strings.Contains(box, "> - "+d.text+"\n") {
					t.Errorf("%s does not show %q", o.ID, d.text)
				}
			}
			for _, method := range about.methods {
				if !shown[method] {
					t.Errorf("no operation is %s %s, of %q", method, about.path, d.text)
				}
			}
			if len(shown) == 0 {
				t.Errorf("no operation is at %s, of %q", about.path, d.text)
			}
		}
	}
	for path := range families {
		t.Errorf("no difference is about %s", path)
	}
	for heading := range differenceSections {
		if !slices.ContainsFunc(contractPages, func(page string) bool {
			return bytes.Contains(contractText(page), []byte("\n## "+heading+"\n"))
		}) {
			t.Errorf("no page has the section %q", heading)
		}
	}
}

func TestReadDifferences(t *testing.T) {
	list, err := readDifferences("wire", "# A\n\n- other\n\n## Differences by operation\n\nText.\n\n- `POST, PUT /v3/a/{id}`, `/v3/b/…`: See [c](#c). [ours]\n\n## D\n\n- other\n")
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	if want := "See [c](../wire.md#c). [ours]"; list[0].text != want {
		t.Errorf("the text is %q", list[0].text)
	}
	for operation, want := range map[string]bool{
		"POST /v3/a/{a_id}": true, "PUT /v3/a/{id}": true, "GET /v3/a/{id}": false, "POST /v3/a": false, "POST /v3/a/{id}/e": false,
		"GET /v3/b": true, "DELETE /v3/b/{id}/c": true, "GET /v3/bc": false,
	} {
		method, path, _ := strings.Cut(operation, " ")
		if got := slices.ContainsFunc(list[0].about, func(o operationSet) bool { return o.has(method, path) }); got != want {
			t.Errorf("%s: %t", operation, got)
		}
	}
	for _, item := range []string{"text", "`name`: text", "`POST`, `/v3/a`: text", "`post /v3/a`: text"} {
		if list, err := readDifferences("wire", "## Differences by operation\n\n- "+item+"\n"); err == nil {
			t.Errorf("%q: %v", item, list)
		}
	}
}

func TestEvidence(t *testing.T) {
	text, _ := Load().File("reference/createGroup.md")
	for _, want := range []string{
		"**Exact**", "| Scope | `store_v2_customers` |", "| At the same time | 40 requests of a store |",
		"> **Differs from the vendor**", "Cohort checks ids of categories", "`name` is required by the text",
		"| [Wire behaviour: Customer groups](../wire.md#customer-groups) |",
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if bytes.Contains(text, []byte("The body of a PUT")) || bytes.Contains(text, []byte("GET by id")) {
		t.Errorf("a difference of other operations is in %s", text)
	}
	text, _ = Load().File("reference/explainPrices.md")
	if !bytes.Contains(text, []byte("Cohort's own operation")) || bytes.Contains(text, []byte("Differs from")) {
		t.Errorf("%s", text)
	}
}

// The check finds what it is for.
func TestCheck(t *testing.T) {
	page := func(body string) []byte { return []byte(`<main id="main">` + body + `</main>`) }
	for want, change := range map[string]map[string][]byte{
		"index.html: b.html leads nowhere":                    {"index.html": page(`<a href="b.html">b</a><a href="a.html">a</a>`)},
		"a.html: index.html#none leads nowhere":               {"a.html": page(`<a href="index.html#none">b</a>`)},
		"a.md: c.md leads nowhere":                            {"a.md": []byte("see [c](c.md)\n")},
		"a.html is an orphan: no page leads there":            {"index.html": page("nothing")},
		"a.html has no text in Markdown":                      {"a.md": nil},
		"a.html loads something from another host":            {"a.html": page(`<img src="https://foreign.example/a.png">`)},
		`a.html: "/console/" leads out of the site`:           {"a.html": page(`<a href="/console/">c</a>`)},
		`a.html: "javascript:alert(1)" leads out of the site`: {"a.html": page(`<a href="javascript:alert(1)">c</a>`)},
		"": {},
	} {
		all := map[string][]byte{"index.html": page(`<a href="a.html#main">a</a>`), "index.md": []byte("[a](a.md)\n"), "a.html": page("a"), "a.md": []byte("a\n")}
		for name, text := range change {
			all[name] = text
			if text == nil {
				delete(all, name)
			}
		}
		if got := strings.Join(Check(all), "\n"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Folders that make no site give an error, and no site.
func TestBrokenFolders(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for name, folder := range map[string]fstest.MapFS{
		"no first page":     {"a.md": file("# A\n")},
		"no heading":        {"index.md": file("text\n")},
		"a link to nothing": {"index.md": file("# A\n\n## B\n\n- [c](c.md): d\n")},
		"no summary":        {"index.md": file("# A\n\n## B\n\n- [c](c.md)\n"), "c.md": file("# C\n")},
		"no section":        {"index.md": file("# A\n\n- [c](c.md): d\n"), "c.md": file("# C\n")},
	} {
		if _, err := newSite(folder); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestBrokenAnswers(t *testing.T) {
	for _, text := range []string{"== createGroup", "== createGroup many whole", "createGroup"} {
		if got, err := readAnswers(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
