package docsite

import (
	"bytes"
	"fmt"
	"strings"

	"cohort.example/cohort/internal/snippet"
)

// llms returns the list of all pages in the form of llmstxt.org. Its links begin with a prefix.
func (s *Site) llms(prefix string) string {
	index := s.byName["index"].markdown
	_, rest, _ := strings.Cut(index, "\n\n")
	about, _, _ := strings.Cut(rest, "\n\n")
	var b strings.Builder
	fmt.Fprintf(&b, "# Cohort\n\n> %s\n\nEverything in one file: [llms-full.txt](%sllms-full.txt). The API for programs: [openapi.yaml](%sopenapi.yaml).\n", about, prefix, prefix)
	listed := map[string]bool{"search": true}
	list := func(title string, pages []*page) {
		fmt.Fprintf(&b, "\n## %s\n\n", title)
		for _, p := range pages {
			listed[p.name] = true
			fmt.Fprintf(&b, "- [%s](%s%s.md)", p.title, prefix, p.name)
			if p.summary != "" {
				b.WriteString(": " + p.summary)
			}
			b.WriteString("\n")
		}
	}
	for _, part := range s.sections {
		list(part.Title, part.Pages)
	}
	var operations, others []*page
	for i := range s.pages {
		switch p := &s.pages[i]; {
		case listed[p.name]:
		case p.reference:
			operations = append(operations, p)
		default:
			others = append(others, p)
		}
	}
	list("Operations", operations)
	list("Optional", others)
	return b.String()
}

// llmsFull returns all pages in one text. Of the examples it has those with curl.
func (s *Site) llmsFull() []byte {
	curl := map[string]string{}
	for _, e := range Examples() {
		curl["reference/"+e.Operation.ID] = exampleText(e, snippet.Languages()[:1])
	}
	var b bytes.Buffer
	for i := range s.pages {
		p := &s.pages[i]
		if p.name == "search" {
			continue
		}
		text := p.markdown
		if p.searched != "" {
			text = p.searched + curl[p.name]
		}
		fmt.Fprintf(&b, "<!-- %s.md -->\n\n%s\n", p.name, text)
	}
	return b.Bytes()
}
