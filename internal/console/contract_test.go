package console

import (
	"regexp"
	"strings"
	"testing"
)

var (
	contractLink = regexp.MustCompile(`href="([^"]*)"`)
	headingID    = regexp.MustCompile(`<h[1-6] id="([^"]*)"`)
)

// Each link in the contract leads to a page and a section that exist.
func TestContractLinks(t *testing.T) {
	f := newFixture(t)
	pages := contractPages()
	ids := map[string]bool{}
	for name, p := range pages {
		ids[contractPath(name, "")] = true
		for _, id := range headingID.FindAllStringSubmatch(string(p.HTML), -1) {
			ids[contractPath(name, id[1])] = true
		}
	}
	if !ids["/console/contract/wire"] || len(ids) < 50 {
		t.Fatalf("%d sections", len(ids))
	}
	for name, p := range pages {
		if text := f.get(t, contractPath(name, "")); strings.Contains(text, " style=") || strings.Count(text, "<h1") != 1 {
			t.Errorf("%s has a style, or not one first heading", name)
		}
		for _, link := range contractLink.FindAllStringSubmatch(string(p.HTML), -1) {
			to := link[1]
			if strings.HasPrefix(to, "#") {
				to = contractPath(name, to[1:])
			}
			if !ids[to] {
				t.Errorf("%s: %s leads nowhere", name, link[1])
			}
		}
	}
	f.send(t, "GET", "/console/contract/none", nil, 404)
}

// Raw HTML and addresses of scripts do not reach the page.
func TestContractIsText(t *testing.T) {
	got := string(renderContract([]byte("# A\n\n<img src=x onerror=alert(1)> [b](javascript:alert(1)) [c](limits.md) [d](wire.md#e)\n")).HTML)
	for _, bad := range []string{"<img", "javascript:", "limits.md"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q in %s", bad, got)
		}
	}
	if !strings.Contains(got, `<a href="/console/contract/wire#e">d</a>`) {
		t.Error(got)
	}
}
