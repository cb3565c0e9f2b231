package browser

import (
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// policy is a content security policy like that of the console.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"

// goodPage has nothing wrong.
const goodPage = `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Good</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/good.css"><script src="/good.js" defer></script>
<main><h1>Good</h1><form><label>Name <input name="name"></label><button>Save</button></form><p id="out"></p></main></html>`

// samples is a server with one good page, and pages that each do one thing wrong.
func samples(t *testing.T) *httptest.Server {
	t.Helper()
	frame := func(body string) string {
		return `<!doctype html><html lang="en"><title>Bad</title><link rel="icon" href="data:,"><main><h1>Bad</h1>` + body + `</main></html>`
	}
	pages := map[string]string{
		"/good":       goodPage,
		"/good.css":   `:root { color-scheme: light dark; font: 1rem sans-serif }`,
		"/good.js":    `document.querySelector("#out").textContent = "A script wrote this."`,
		"/error.js":   `console.error("a mistake"); null.x`,
		"/alert.js":   `alert("hello")`,
		"/foreign.js": `fetch("https://foreign.example/").catch(() => {})`,
		"/console":    frame(`<script src="/error.js"></script>`),
		"/dialog":     frame(`<script src="/alert.js"></script>`),
		"/inline":     frame(`<script>document.title = "Run"</script>`),
		"/missing":    frame(`<img src="/nothing.png" alt="">`),
		"/foreign":    frame(`<script src="/foreign.js"></script>`),
		"/barrier":    frame(`<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">`),
		"/dark.css":   `@media (prefers-color-scheme: dark) { body { background: #000; color: #222 } }`,
		"/dark":       frame(`<link rel="stylesheet" href="/dark.css"><p>Some text.</p>`),
		"/wide.css":   `p { width: 600px } pre { overflow-x: auto }`,
		"/wide":       frame(`<link rel="stylesheet" href="/wide.css"><p>Wide</p><pre><span>` + strings.Repeat("x", 999) + `</span></pre>`),
		"/unlabelled": frame(`<input name="a"><label>B <input name="b"></label>`),
		"/trap.js":    `document.querySelector("#trap").onkeydown = e => e.preventDefault()`,
		"/trap":       frame(`<input id="trap" aria-label="trap"><a href="/good">after</a><script src="/trap.js"></script>`),
		"/headings":   frame(`<h1>Another</h1>`),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, found := pages[r.URL.Path]
		types := map[string]string{".css": "text/css", ".js": "text/javascript"}
		kind := "text/html"
		if i := strings.LastIndex(r.URL.Path, "."); i >= 0 {
			kind = types[r.URL.Path[i:]]
		}
		w.Header().Set("Content-Type", kind+"; charset=utf-8")
		if r.URL.Path != "/foreign" { // its request would be stopped before it is one
			w.Header().Set("Content-Security-Policy", policy)
		}
		if !found {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server
}

// TestGoodPage: the checks find nothing in a page that has nothing wrong, and count its bytes.
func TestGoodPage(t *testing.T) {
	t.Parallel()
	b := newTab(t, samples(t).URL)
	if status := b.open("/good"); status != http.StatusOK {
		t.Errorf("the status is %d", status)
	}
	want := int64(len(goodPage) + len(`:root { color-scheme: light dark; font: 1rem sans-serif }`) + len(`document.querySelector("#out").textContent = "A script wrote this."`))
	if got := b.size(); got != want {
		t.Errorf("the page has %d bytes, want %d", got, want)
	}
	accessible(t, b)
	for check, found := range map[string][]string{"wide": wide(b), "unlabelled": unlabelled(b), "unreachable": unreachable(b), "headings": headings(b)} {
		if len(found) > 0 {
			t.Errorf("%s: %q", check, found)
		}
	}
	if got := evaluate[string](b, `axe.version`); got != axeVersion {
		t.Errorf("axe-core is version %s, want %s", got, axeVersion)
	}
}

// TestFindings: a tab notes what each bad page does, and nothing else.
func TestFindings(t *testing.T) {
	t.Parallel()
	server := samples(t)
	for path, want := range map[string][]finding{
		"/good":    nil,
		"/console": {{kindConsole, "a mistake"}, {kindConsole, "TypeError"}},
		"/dialog":  {{kindDialog, "hello"}},
		"/inline":  {{kindCSP, "inline script"}},
		"/missing": {{kindRequest, "/nothing.png: 404"}},
		"/foreign": {{kindForeign, "https://foreign.example/"}, {kindRequest, "ERR_NAME_NOT_RESOLVED"}},
	} {
		t.Run(path[1:], func(t *testing.T) {
			t.Parallel()
			b := newTab(t, server.URL)
			b.open(path)
			got := b.take()
			for begun := time.Now(); len(got) < len(want) && time.Since(begun) < patience; { // a request may fail after the load
				evaluate[bool](b, `true`)
				got = append(got, b.take()...)
			}
			if !slices.EqualFunc(got, want, func(g, w finding) bool { return g.kind == w.kind && strings.Contains(g.text, w.text) }) {
				t.Errorf("the findings are %q, want %q", got, want)
			}
		})
	}
}

// TestChecks: each check finds what is wrong in its page, in its colour scheme alone.
func TestChecks(t *testing.T) {
	t.Parallel()
	server := samples(t)
	for path, c := range map[string]struct {
		check func(*tab) []string
		want  []string
	}{
		"/barrier":    {barriers, []string{"light: image-alt: img", "dark: image-alt: img"}},
		"/dark":       {barriers, []string{"dark: color-contrast: h1", "dark: color-contrast: p"}},
		"/wide":       {wide, []string{"the page: 6", "<p>Wide"}},
		"/unlabelled": {unlabelled, []string{`<input name="a">`}},
		"/trap":       {unreachable, []string{`<a href="/good">`}},
		"/headings":   {headings, []string{"2 headings"}},
	} {
		t.Run(path[1:], func(t *testing.T) {
			t.Parallel()
			b := newTab(t, server.URL)
			b.open(path)
			if got := c.check(b); !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// TestWithoutScripts: with JavaScript off the page is there, and its script does not run.
func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	b := newTab(t, samples(t).URL)
	b.disableScripts()
	if status := b.open("/good"); status != http.StatusOK {
		t.Errorf("the status is %d", status)
	}
	if got := evaluate[string](b, `document.querySelector("h1").textContent + document.querySelector("#out").textContent`); got != "Good" {
		t.Errorf("the page says %q", got)
	}
}

// TestPicture: each page has four pictures, in a folder that the environment names.
func TestPicture(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("COHORT_SCREENSHOTS", folder)
	b := newTab(t, samples(t).URL)
	b.open("/good")
	b.picture("good")
	for _, width := range []int{1280, 375} {
		for _, scheme := range schemes {
			f, err := os.Open(filepath.Join(folder, fmt.Sprintf("good-%d-%s.png", width, scheme)))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if c, err := png.DecodeConfig(f); err != nil || c.Width != width {
				t.Errorf("the picture %s has the width %d (error %v)", f.Name(), c.Width, err)
			}
		}
	}
}

// TestSeed: the store has the names of the seed that attack a page.
func TestSeed(t *testing.T) {
	t.Parallel()
	s := devServer(t)
	status, body := s.call("GET", "/v2/customer_groups", "")
	var groups []struct{ Name string }
	if err := json.Unmarshal([]byte(body), &groups); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	for _, name := range []string{"<img src=x onerror=alert(1)>", "Turned \u202Etxet"} {
		if !slices.ContainsFunc(groups, func(g struct{ Name string }) bool { return g.Name == name }) {
			t.Errorf("no group is named %q: %s", name, body)
		}
	}
}
