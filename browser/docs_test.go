package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// docsPages are pages of the documentation, one of each kind.
var docsPages = []consolePage{
	{"docs", "/docs/"},
	{"docs-guide", "/docs/guide-run.html"},
	{"docs-architecture", "/docs/architecture"},
	{"docs-segments", "/docs/wire-segments.html"},
	{"docs-decision", "/docs/decisions/0080-console-pages.html"},
	{"docs-reference", "/docs/reference/index.html"},
	{"docs-operation", "/docs/reference/createGroup.html"},
	{"docs-operation-own", "/docs/reference/explainPrices.html"},
	{"docs-search", "/docs/search.html?q=bulk+tiers"},
}

// TestDocs checks pages of the documentation as TestPages checks those of the console. The tab
// notes breaches of the policy and requests to other hosts.
func TestDocs(t *testing.T) {
	t.Parallel()
	s := devServer(t)
	for _, p := range docsPages {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			b := newTab(t, s.url)
			if status := b.open(p.path); status != http.StatusOK {
				t.Fatalf("the status is %d", status)
			}
			if strings.Contains(p.path, "search") {
				await[bool](b, `document.querySelectorAll("#results li").length > 0`)
			}
			report(t, "headings", headings(b))
			report(t, "no label", unlabelled(b))
			b.picture(p.name)
			if p.name != "docs-reference" { // it has more links than a test can visit in its time
				report(t, "Tab does not reach", unreachable(b))
			}
			accessible(t, b)
			report(t, "too wide", wide(b))
		})
	}
}

// TestDocsWithoutScripts: each page is there without JavaScript, with the examples in all
// languages.
func TestDocsWithoutScripts(t *testing.T) {
	t.Parallel()
	s := devServer(t)
	b := newTab(t, s.url)
	b.disableScripts()
	for _, p := range docsPages {
		if status := b.open(p.path); status != http.StatusOK {
			t.Errorf("%s: the status is %d", p.name, status)
		}
		report(t, p.name, headings(b))
	}
	b.open("/docs/reference/createGroup.html")
	if n := evaluate[int](b, `[...document.querySelectorAll("h3")].filter(h => h.getClientRects().length > 0 && ["curl", "Node.js", "Python", "PHP", "Ruby", "Go"].includes(h.textContent)).length`); n != 6 {
		t.Errorf("%d examples are shown", n)
	}
}

// TestDocsSearch: words and their other forms find pages, the result leads to its section, and
// the search asks no other server.
func TestDocsSearch(t *testing.T) {
	t.Parallel()
	s := devServer(t)
	b := newTab(t, s.url)
	b.open("/docs/reference/createGroup.html")
	typeInto(b, "#q", "idempotency keys")
	press(b, ".top form button", kb.Enter)
	await[bool](b, `document.querySelectorAll("#results li").length > 0`)
	if got := evaluate[string](b, `document.querySelector("#results li a").textContent`); got != "Wire behaviour: Idempotency keys" {
		t.Errorf("the first result is %q", got)
	}
	press(b, "#results li a", kb.Enter)
	if got := evaluate[string](b, `location.pathname + location.hash`); got != "/docs/wire.html#idempotency-keys" {
		t.Errorf("the result leads to %s", got)
	}
	for _, query := range []string{"creating+groups", "Create+group", "created+groups"} { // forms of the same words
		b.open("/docs/search.html?q=" + query)
		await[bool](b, `document.querySelectorAll("#results li").length > 0`)
		if got := evaluate[string](b, `document.querySelector("#results li a").textContent`); got != "Create a customer group" {
			t.Errorf("%s: the first result is %q", query, got)
		}
		if got := evaluate[string](b, `[...document.querySelectorAll("#results mark")].map(m => m.textContent.toLowerCase()).filter(w => !/^(creat(e|es|ed|ing|ion)|groups?)$/.test(w)).join()`); got != "" {
			t.Errorf("%s: it marks %s", query, got)
		}
	}
	b.open("/docs/search.html?q=grouses") // a word that only begins like another
	await[bool](b, `document.getElementById("results").textContent === "No page has all these words."`)
	b.open("/docs/search.html?q=%3Cimg+src%3Dx%3E+zzz")
	await[bool](b, `document.getElementById("results").textContent === "No page has all these words."`)
}

// TestDocsLanguages: a page shows one language, and the next page the same one.
func TestDocsLanguages(t *testing.T) {
	t.Parallel()
	s := devServer(t)
	b := newTab(t, s.url)
	shown := func() string {
		return evaluate[string](b, `[...document.querySelectorAll("h3")].filter(h => h.getClientRects().length > 0).map(h => h.textContent).join()`)
	}
	b.open("/docs/reference/createGroup.html")
	if got := shown(); got != "curl,The answer" {
		t.Errorf("the page shows %s", got)
	}
	evaluate[bool](b, fmt.Sprintf(`[...document.querySelectorAll(".languages button")].find(b => b.textContent === %q).click() ?? true`, "Ruby"))
	b.open("/docs/reference/listGroups.html")
	if got := shown(); got != "Ruby,The answer" {
		t.Errorf("the page shows %s", got)
	}
}
