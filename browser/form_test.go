package browser

import (
	"fmt"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// narrowest is the width at which every page still fits, in CSS pixels: that of a
// window of 1280 at a zoom of 400 %.
const narrowest = 320

// findWide lists what makes the page scroll sideways. A part that scrolls by itself,
// such as the box of a table, does not.
const findWide = `(() => {
	const page = document.documentElement
	if (page.scrollWidth <= innerWidth && ![page, document.body].some(e => ["hidden", "clip"].includes(getComputedStyle(e).overflowX))) return []
	const scrolls = e => e && (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement))
	return ["the page: " + page.scrollWidth + " px"].concat([...document.body.querySelectorAll("*")]
		.filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement))
		.map(e => e.outerHTML.slice(0, 120)))
})()`

// findUnlabelled lists the fields that have no label.
const findUnlabelled = `[...document.querySelectorAll("input, select, textarea")]
	.filter(e => !["hidden", "submit", "button", "reset", "image"].includes(e.type))
	.filter(e => !(e.labels.length || e.ariaLabel || e.getAttribute("aria-labelledby")))
	.map(e => e.outerHTML.slice(0, 120))`

// markStops notes the parts of the page that Tab has to reach, and returns how many there
// are. Of the buttons of one radio group Tab reaches one, so they count as one.
const markStops = `(() => {
	const key = e => e.type === "radio" ? (e.form?.id ?? "") + "/" + e.name : e
	window.stops = new Map()
	for (const e of document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]"))
		if (e.type !== "hidden" && e.tabIndex >= 0 && !e.matches(":disabled") && e.checkVisibility({visibilityProperty: true})) stops.set(key(e), e)
	window.reach = () => stops.delete(key(document.activeElement)) 
	return stops.size
})()`

// wide returns the parts of the page that are too wide for a window of 320 px.
func wide(b *tab) []string {
	b.t.Helper()
	b.widen(narrowest)
	return evaluate[[]string](b, findWide)
}

// unlabelled returns the fields of the page that have no label.
func unlabelled(b *tab) []string {
	b.t.Helper()
	return evaluate[[]string](b, findUnlabelled)
}

// unreachable presses Tab from the start of the page, and returns the parts that can be
// used with a mouse but that the key does not reach.
func unreachable(b *tab) []string {
	b.t.Helper()
	b.widen(1280)
	stops := evaluate[int](b, markStops)
	// Boxes that scroll are stops too, so the key may have to be pressed more often.
	for range 2*stops + 10 {
		b.do(chromedp.KeyEvent(kb.Tab))
		evaluate[bool](b, `reach()`)
		if evaluate[int](b, `stops.size`) == 0 {
			return nil
		}
	}
	return evaluate[[]string](b, `[...stops.values()].map(e => e.outerHTML.slice(0, 120))`)
}

// headings returns what is wrong with the main heading of the page: it has one.
func headings(b *tab) []string {
	b.t.Helper()
	if n := evaluate[int](b, `document.querySelectorAll("h1").length`); n != 1 {
		return []string{fmt.Sprintf("%d headings <h1>", n)}
	}
	return nil
}
