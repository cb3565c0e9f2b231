package docsite

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// differenceSections are the headings under which pages of the contract list differences from
// the vendor, with the words that an item needs on another page. Each item of these lists begins
// with the operations that it is about, such as
//
//   - `POST, PUT /v3/customers`, `/v3/segments/…`: The text. [ours]
//
// Without methods it is about all of a path, and "…" adds the paths below it.
var differenceSections = map[string]string{
	"Differences by operation":                "",
	"Known differences from the live service": "",
	"Deviations from the public reference":    "In the vendor's OpenAPI file: ",
}

// difference is an item of such a list.
type difference struct {
	text  string // Markdown, for a page of the reference
	about []operationSet
}

// operationSet is the operations of a path.
type operationSet struct {
	methods []string // none: all
	path    string
	below   bool // also those of the paths below
}

var (
	differenceItem = regexp.MustCompile("^((?:`[^`]+`, )*`[^`]+`): (.+)$")
	operationsSpan = regexp.MustCompile("`(?:([A-Z, ]+) )?(/[^`…]*?)(/…)?`")
	pathParameter  = regexp.MustCompile(`\{[^}]*\}`)
)

// allDifferences are those of all pages of the contract.
var allDifferences = sync.OnceValue(func() (all []difference) {
	for _, page := range contractPages {
		list, err := readDifferences(page, string(contractText(page)))
		if err != nil {
			panic(err) // the texts are part of the program, and tests read them
		}
		all = append(all, list...)
	}
	return all
})

// readDifferences reads the lists of differences of a page.
func readDifferences(page, text string) (list []difference, err error) {
	words, inside := "", false
	for line := range strings.Lines(text) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			words, inside = differenceSections[strings.TrimSpace(heading)]
		}
		item, ok := strings.CutPrefix(strings.TrimSpace(line), "- ")
		if !ok || !inside {
			continue
		}
		m := differenceItem.FindStringSubmatch(item)
		if m == nil {
			return nil, fmt.Errorf("%s.md: %q does not begin with operations", page, item)
		}
		d := difference{text: words + linked(page, m[2])}
		for _, span := range strings.SplitAfter(m[1], "`, ") {
			parts := operationsSpan.FindStringSubmatch(span)
			if parts == nil {
				return nil, fmt.Errorf("%s.md: %s is no operation", page, span)
			}
			of := operationSet{path: pathParameter.ReplaceAllString(parts[2], "{}"), below: parts[3] != ""}
			if parts[1] != "" {
				of.methods = strings.Split(parts[1], ", ")
			}
			d.about = append(d.about, of)
		}
		list = append(list, d)
	}
	return list, nil
}

// has reports whether an operation is among these. Its path is that after the store.
func (o operationSet) has(method, path string) bool {
	path = pathParameter.ReplaceAllString(path, "{}")
	return (len(o.methods) == 0 || slices.Contains(o.methods, method)) && (path == o.path || o.below && begins(path, o.path))
}

// differencesOf returns the texts of the differences of an operation.
func differencesOf(method, path string) (list []string) {
	for _, d := range allDifferences() {
		if slices.ContainsFunc(d.about, func(o operationSet) bool { return o.has(method, path) }) {
			list = append(list, d.text)
		}
	}
	return list
}

// linked makes links of a page of the contract lead from a page of the reference.
func linked(page, text string) string {
	return markdownLink.ReplaceAllStringFunc(text, func(link string) string {
		m := markdownLink.FindStringSubmatch(link)
		to := m[2]
		if strings.HasPrefix(to, "#") {
			to = page + ".md" + to
		}
		return "[" + m[1] + "](../" + to + ")"
	})
}
