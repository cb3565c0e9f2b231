// A module of its own: chromedp drives a browser, which Cohort itself never does.
module cohort.example/cohort/browser

go 1.26.0

require (
	cohort.example/cohort v0.0.0
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
)

require github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect

replace (
	cohort.example/cohort => ../
	cohort.example/cohort/client => ../client
)
