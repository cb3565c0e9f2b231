package browser

import (
	"net/http"
	"slices"
	"testing"
)

// maxPage bounds HTML, CSS and JavaScript of a page, in bytes, uncompressed.
const maxPage = 100_000

// consolePage is a page that every check of this file visits. The name is that of its
// picture.
type consolePage struct{ name, path string }

// consolePages are the pages of a development server.
var consolePages = []consolePage{
	{"stores", "/console/stores"},
}

// eachPage runs a check on each page of one server, in a tab of its own.
func eachPage(t *testing.T, check func(*testing.T, *tab, consolePage)) {
	t.Parallel()
	s := devServer(t)
	for _, p := range consolePages {
		t.Run(p.name, func(t *testing.T) {
			check(t, newTab(t, s.url), p)
		})
	}
}

// TestPages: each page is small, has one main heading, a label for each field, and nothing
// that the tab notes. Names stay text in it.
func TestPages(t *testing.T) {
	eachPage(t, func(t *testing.T, b *tab, p consolePage) {
		if status := b.open(p.path); status != http.StatusOK {
			t.Fatalf("the status is %d", status)
		}
		if size := b.size(); size > maxPage {
			t.Errorf("the page has %d bytes, and may have %d", size, maxPage)
		}
		for _, found := range slices.Concat(headings(b), unlabelled(b), attacks(b)) {
			t.Error(found)
		}
		b.picture(p.name)
	})
}

// TestPagesAccessible: axe-core finds nothing serious on any page, in light and in dark.
func TestPagesAccessible(t *testing.T) {
	eachPage(t, func(t *testing.T, b *tab, p consolePage) {
		b.open(p.path)
		accessible(t, b)
	})
}

// TestPagesNarrow: each page fits into a window of 320 px.
func TestPagesNarrow(t *testing.T) {
	eachPage(t, func(t *testing.T, b *tab, p consolePage) {
		b.open(p.path)
		for _, found := range wide(b) {
			t.Errorf("too wide: %s", found)
		}
	})
}

// TestPagesByKeyboard: Tab reaches everything that can be clicked or filled in.
func TestPagesByKeyboard(t *testing.T) {
	eachPage(t, func(t *testing.T, b *tab, p consolePage) {
		b.open(p.path)
		for _, found := range unreachable(b) {
			t.Errorf("Tab does not reach %s", found)
		}
	})
}

// TestPagesWithoutScripts: each page is complete without JavaScript.
func TestPagesWithoutScripts(t *testing.T) {
	eachPage(t, func(t *testing.T, b *tab, p consolePage) {
		b.disableScripts()
		if status := b.open(p.path); status != http.StatusOK {
			t.Errorf("the status is %d", status)
		}
		for _, found := range headings(b) {
			t.Error(found)
		}
	})
}

// attacks returns the elements that names of the seed put into the page.
func attacks(b *tab) []string {
	b.t.Helper()
	return evaluate[[]string](b, `[...document.querySelectorAll("[onerror], img[src=x]")].map(e => "a name became " + e.outerHTML)`)
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
