package browser

import (
	_ "embed"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// axeVersion is the version of testdata/axe-core.
const axeVersion = "4.14.1"

//go:embed testdata/axe-core/axe.min.js
var axeSource string

// findBarriers is the check of axe-core in the page. Preloading would ask the server again
// for each style sheet.
const findBarriers = `axe.run(document, {resultTypes: ["violations"], preload: false}).then(found => found.violations
	.filter(v => v.impact === "serious" || v.impact === "critical")
	.flatMap(v => v.nodes.map(n => ({rule: v.id, target: n.target.join(" "), summary: n.failureSummary}))))`

// barrier is something in a page that keeps people from using it.
type barrier struct {
	Rule    string `json:"rule"`
	Target  string `json:"target"`
	Summary string `json:"summary"`
}

// accessible fails the test for each serious and each critical finding of axe-core in the
// page, in light and in dark.
func accessible(t *testing.T, b *tab) {
	t.Helper()
	for _, finding := range barriers(b) {
		t.Error(finding)
	}
}

// barriers returns a text for each serious and each critical finding.
func barriers(b *tab) (found []string) {
	b.t.Helper()
	if evaluate[bool](b, `typeof axe === "undefined"`) {
		b.do(chromedp.Evaluate[chromedp.Void](axeSource))
	}
	for _, scheme := range schemes {
		b.prefer(scheme)
		for _, f := range evaluate[[]barrier](b, findBarriers) {
			found = append(found, fmt.Sprintf("%s: %s: %s: %s", scheme, f.Rule, f.Target, f.Summary))
		}
	}
	return found
}
