package console

import (
	"strings"
	"testing"

	"cohort.example/cohort/internal/journal"
)

func TestCoveragePage(t *testing.T) {
	f := newFixture(t)
	wantAll(t, f.get(t, "/console/coverage"), "Nothing, as far as the server keeps their requests.", `rel="next"`)
	f.api(t, "GET", "/v2/orders/7", "")
	f.api(t, "GET", "/v2/orders/8", "")
	f.api(t, "GET", "/v2/<img%20src=x>", "")
	page := f.get(t, "/console/coverage?state=not+there&family=orders")
	wantAll(t, page, `<td class="number">2</td><td class="break"><code>`, "the vendor has nothing there either", `requests?method=GET&amp;path=%2Fv2%2Forders`)
	wantAll(t, f.get(t, f.path("requests")+"?method=GET&path=/v2/orders*"), "2 requests match")
	if strings.Contains(page, "<img") || strings.Contains(page, `<span class="tag good">exact`) {
		t.Error(page)
	}
	wantAll(t, f.get(t, "/console/coverage?family=none"), "No operation is here.")
}

// The page of a refused request leads to the part of the contract that its check follows.
func TestRulesAreHeadings(t *testing.T) {
	f := newFixture(t)
	contract := f.get(t, contractPath("wire", ""))
	for _, check := range journal.Checks() {
		rule := checkTexts()[check].Rule
		if id := anchorOf(rule); !strings.Contains(contract, `id="`+id+`">`+rule+`</h`) {
			t.Errorf("%s: the contract has no heading %q with the id %q", check, rule, id)
		}
	}
}
