package browser

import (
	"net/http"
	"testing"
)

// maxPage bounds HTML, CSS and JavaScript of a page, in bytes, uncompressed.
const maxPage = 100_000

// consolePage is a page that every check of this file visits. The name is that of its
// picture.
type consolePage struct{ name, path string }

// consolePages are the pages of a development server.
var consolePages = []consolePage{
	{"home", "/console/"},
	{"stores", "/console/stores"},
	{"requests", "/console/stores/demo/requests"},
	{"request", "/console/stores/demo/requests/1"},
	{"coverage", "/console/coverage"},
	{"contract", "/console/contract/wire-segments"},
	{"faults", "/console/stores/demo/faults"},
	{"state", "/console/stores/demo/state"},
	{"limits", "/console/stores/demo/limits"},
	{"groups", "/console/stores/demo/groups"},
	{"group-new", "/console/stores/demo/groups/new"},
	{"group", "/console/stores/demo/groups/1"},
	{"members", "/console/stores/demo/members"},
	{"members-group", "/console/stores/demo/members?group=1"},
	{"customer", "/console/stores/demo/customers/1"},
	{"customer-attack", "/console/stores/demo/customers/2"},
	{"pricelists", "/console/stores/demo/pricelists"},
	{"pricelist", "/console/stores/demo/pricelists/1"},
	{"hooks", "/console/stores/demo/hooks"},
	{"hook", "/console/stores/demo/hooks/1"},
	{"jobs", "/console/stores/demo/jobs"},
	{"tokens", "/console/stores/demo/tokens"},
	{"health", "/console/health"},
	{"reference", "/console/reference"},
	{"operation", "/console/reference/createGroup"},
	{"operation-list", "/console/reference/listGroups"},
	{"operation-large", "/console/reference/createProduct"},
	{"prices-empty", "/console/stores/demo/prices"},
	{"prices", "/console/stores/demo/prices?for=group&id=1&product=1&quantity=12"},
	{"access", "/console/stores/demo/access?for=group&id=1&product=1"},
	{"distribution", "/console/stores/demo/groups/1/prices"},
	{"history", "/console/stores/demo/audit"},
	{"group-past", "/console/stores/demo/groups/1/as-of"},
	{"member-past", "/console/stores/demo/customers/1/as-of"},
}

// TestPages: each page is small, has one main heading and a label for each field, and Tab
// reaches everything in it that can be used. It fits into 320 px, axe-core finds nothing
// serious in light and in dark, names stay text, and the tab notes nothing.
func TestPages(t *testing.T) {
	t.Parallel()
	s := devServer(t)
	for _, p := range consolePages {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			b := newTab(t, s.url)
			if status := b.open(p.path); status != http.StatusOK {
				t.Fatalf("the status is %d", status)
			}
			if size := b.size(); size > maxPage {
				t.Errorf("the page has %d bytes, and may have %d", size, maxPage)
			}
			report(t, "headings", headings(b))
			report(t, "no label", unlabelled(b))
			report(t, "markup in a name", attacks(b))
			b.picture(p.name)
			report(t, "Tab does not reach", unreachable(b))
			accessible(t, b)
			report(t, "too wide", wide(b))
		})
	}
}

// report fails the test for each finding of a check.
func report(t *testing.T, check string, findings []string) {
	t.Helper()
	for _, f := range findings {
		t.Errorf("%s: %s", check, f)
	}
}

// TestPagesWithoutScripts: each page is there without JavaScript.
func TestPagesWithoutScripts(t *testing.T) {
	t.Parallel()
	s := devServer(t)
	b := newTab(t, s.url)
	b.disableScripts()
	for _, p := range consolePages {
		if status := b.open(p.path); status != http.StatusOK {
			t.Errorf("%s: the status is %d", p.name, status)
		}
		report(t, p.name, headings(b))
	}
}

// attacks returns the elements that names of the seed put into the page.
func attacks(b *tab) []string {
	b.t.Helper()
	return evaluate[[]string](b, `[...document.querySelectorAll("[onerror], img[src=x]")].map(e => e.outerHTML)`)
}

// TestOrigins: the console refuses requests of pages of other sites, and other host names.
func TestOrigins(t *testing.T) {
	t.Parallel()
	s := devServer(t)
	for name, c := range map[string]struct {
		method string
		header http.Header
		want   int
	}{
		"its own origin":       {"GET", http.Header{"Origin": {s.url}}, http.StatusOK},
		"foreign origin":       {"POST", http.Header{"Origin": {"https://foreign.example"}}, http.StatusForbidden},
		"request across sites": {"POST", http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
		"foreign host":         {"GET", http.Header{"Host": {"foreign.example"}}, http.StatusMisdirectedRequest},
	} {
		if got, _ := s.send(c.method, s.url+"/console/stores", "", c.header); got != c.want {
			t.Errorf("%s: the status is %d, want %d", name, got, c.want)
		}
	}
}
