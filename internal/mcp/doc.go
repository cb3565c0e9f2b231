package mcp

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"

	"cohort.example/cohort"
	"cohort.example/cohort/docs"
)

const (
	// maxSections is how many sections a search returns.
	maxSections = 4
	// maxSectionText is how many runes of a section it returns.
	maxSectionText = 2800
	// maxTerms bounds the words of a search.
	maxTerms = 12
)

func docTools() []tool {
	return []tool{define(tool{
		name: "search_docs", title: "Search the documentation",
		description: "Finds sections of the documentation of this version: the REST API, prices, events, webhooks, tests, limits, the command line.",
	}, func(_ *caller, _ context.Context, in searchDocsInput) (any, error) { return searchDocs(in.Query) })}
}

type searchDocsInput struct {
	Query string `json:"query" jsonschema:"a few words"`
}

// section is a part of a page, from a heading to the next one.
type section struct {
	page, title string
	text        string
	words       map[string]int // how often each word is in the text, in lower case
	length      float64        // in words, 1 for an average section
}

// foundSection is a section in an answer.
type foundSection struct {
	Page    string `json:"page"`
	Section string `json:"section"`
	Text    string `json:"text"`
}

// sections has all sections. The first search reads them.
var sections = sync.OnceValue(func() (list []section) {
	pages, err := docs.Pages.ReadDir(".")
	if err != nil {
		panic(err) // it is embedded
	}
	for _, page := range pages {
		if page.IsDir() {
			continue // decisions, and pictures
		}
		text, err := docs.Pages.ReadFile(page.Name())
		if err != nil {
			panic(err) // as above
		}
		list = append(list, split(page.Name(), string(text))...)
	}
	var all float64
	for _, s := range list {
		all += s.length
	}
	for i := range list {
		list[i].length *= float64(len(list)) / all
	}
	return list
})

// split splits a page at its headings.
func split(page, text string) (list []section) {
	var title string
	var body strings.Builder
	end := func() {
		if text := strings.TrimSpace(body.String()); text != "" {
			list = append(list, newSection(page, title, text))
		}
		body.Reset()
	}
	inBlock := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			inBlock = !inBlock
		}
		if heading := strings.TrimLeft(line, "#"); !inBlock && heading != line {
			end()
			title = strings.TrimSpace(heading)
			continue
		}
		body.WriteString(line)
	}
	end()
	return list
}

func newSection(page, title, text string) section {
	s := section{page: page, title: title, text: text, words: map[string]int{}}
	for _, w := range words(text) {
		s.words[w]++
		s.length++
	}
	return s
}

// words returns the words of a text in lower case.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
}

// searchDocs returns the sections in which the words of a query are most frequent. A word
// that few sections have counts more.
func searchDocs(query string) (any, error) {
	terms := words(query)
	terms = terms[:min(len(terms), maxTerms)]
	if len(terms) == 0 {
		return nil, cohort.Invalid("query", "give a few words")
	}
	all := sections()
	scores := make([]float64, len(all))
	for _, term := range terms {
		weights := map[int]float64{}
		for i, s := range all {
			if w := s.weight(term); w > 0 {
				weights[i] = w
			}
		}
		for i, w := range weights {
			scores[i] += w * math.Log(1+float64(len(all))/float64(len(weights)))
		}
	}
	order := make([]int, 0, len(all))
	for i, score := range scores {
		if score > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	rows := []foundSection{}
	for _, i := range order[:min(len(order), maxSections)] {
		rows = append(rows, foundSection{all[i].page, all[i].title, all[i].excerpt(terms)})
	}
	fitting, err := fit(rows)
	return listAnswer[foundSection]{Rows: fitting, Total: int64(len(order))}, err
}

// weight says how much a section is about a word. It is the usual formula BM25, and a word of
// the heading counts besides.
func (s section) weight(term string) float64 {
	const saturation, byLength, ofHeading = 1.2, 0.75, 2.0
	n := float64(s.words[term])
	w := n * (saturation + 1) / (n + saturation*(1-byLength+byLength*s.length))
	if slices.Contains(words(s.title), term) {
		w += ofHeading
	}
	return w
}

// excerpt returns the text, or of a long one the part from the line that has most of the words.
func (s section) excerpt(terms []string) string {
	if len([]rune(s.text)) <= maxSectionText {
		return s.text
	}
	lines := strings.Split(s.text, "\n")
	best, most := 0, -1
	for i, line := range lines {
		n := 0
		for _, term := range terms {
			if strings.Contains(strings.ToLower(line), term) {
				n++
			}
		}
		if n > most {
			best, most = i, n
		}
	}
	return clip(strings.Join(lines[best:], "\n"), maxSectionText)
}
