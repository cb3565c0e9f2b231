package docsite

import (
	"bytes"
	"encoding/json"
	"strings"

	"cohort.example/cohort/internal/markdown"
)

// entry is a part of a page that the search finds. Its names are short because there are
// thousands of entries.
type entry struct {
	Page    string `json:"p"` // title
	Section string `json:"s,omitempty"`
	Path    string `json:"u"`
	Text    string `json:"t"`
	// Weight is 1 for pages to which people should come first.
	Weight int `json:"w,omitempty"`
}

// searchIndex returns a script that gives the entries of all pages to the function cohortIndex of
// docs.js. A script is what a page may load from a folder on disk too.
func (s *Site) searchIndex() []byte {
	var list []entry
	for i := range s.pages {
		p := &s.pages[i]
		if p.name == "search" || p.name == "index" {
			continue
		}
		list = append(list, s.entries(p)...)
	}
	var b bytes.Buffer
	b.WriteString("cohortIndex(")
	e := json.NewEncoder(&b) // escapes < and >
	if err := e.Encode(list); err != nil {
		panic(err) // texts are always JSON
	}
	return append(bytes.TrimSpace(b.Bytes()), ");\n"...)
}

// entries returns the entries of a page: one for each section, and one for an operation.
func (s *Site) entries(p *page) (list []entry) {
	source := p.markdown
	if p.searched != "" {
		source = p.searched
	}
	parts := markdown.Render([]byte(source), markdown.Options{Link: func(to string) (string, bool) { return to, true }}).Sections
	weight := 1
	if strings.HasPrefix(p.name, "decisions/") || p.name == "reference/index" {
		weight = 0
	}
	if p.searched != "" {
		all := entry{Page: p.title, Path: p.name + ".html", Text: p.summary, Weight: weight}
		for _, part := range parts {
			all.Text += " " + part.Text
		}
		return []entry{all}
	}
	for _, part := range parts {
		e := entry{Page: p.title, Section: part.Title, Path: p.name + ".html", Text: part.Text, Weight: weight}
		if part.ID != "" {
			e.Path += "#" + part.ID
		}
		list = append(list, e)
	}
	return list
}
