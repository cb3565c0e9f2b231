// Package docsite makes the documentation site from docs/ and the OpenAPI document: pages, the
// text of each in Markdown, an index for the search, and lists for language models. All of it
// is part of the program, and the same program makes the same bytes.
package docsite

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"cohort.example/cohort/docs"
	"cohort.example/cohort/internal/markdown"
	"cohort.example/cohort/internal/openapi"
	"cohort.example/cohort/internal/reference"
)

//go:embed static
var static embed.FS

// page is a page of the site. Its HTML, and the Markdown it is made of, differ in the ending.
type page struct {
	name     string // the path without an ending, such as "decisions/0001-router"
	title    string
	summary  string // one line; "": there is none
	markdown string
	// searched is what the search finds, if that is not all of the Markdown.
	searched string
	// reference says that the page is of the API reference.
	reference bool
}

// Site is the documentation site.
type Site struct {
	pages    []page // in their order, the first page first
	byName   map[string]*page
	sections []section
	// made has the files that were asked for, by name. Some take a second to make, and anybody
	// may ask for them.
	made sync.Map
}

// section is a part of the navigation.
type section struct {
	Title string
	Pages []*page
}

// Load returns the site of this program. The first call reads the texts.
func Load() *Site { return site() }

var site = sync.OnceValue(func() *Site {
	s, err := newSite(docs.Pages)
	if err != nil {
		panic(err) // the texts are part of the program, and tests read them
	}
	return s
})

// newSite reads the pages of a folder, and adds those of the reference.
func newSite(files fs.FS) (*Site, error) {
	s := &Site{byName: map[string]*page{}}
	var names []string
	for _, pattern := range []string{"*.md", "decisions/*.md"} {
		found, err := fs.Glob(files, pattern)
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		first, _, _ := strings.Cut(string(text), "\n")
		title, ok := strings.CutPrefix(first, "# ")
		if !ok {
			return nil, fmt.Errorf("%s does not begin with a heading", name)
		}
		s.pages = append(s.pages, page{name: strings.TrimSuffix(name, ".md"), title: title, markdown: string(text)})
	}
	s.pages = append(s.pages, referencePages(reference.API())...)
	s.pages = append(s.pages, page{name: "search", title: "Search", markdown: searchText})
	slices.SortStableFunc(s.pages, func(a, b page) int { return rank(a) - rank(b) })
	for i := range s.pages {
		s.byName[s.pages[i].name] = &s.pages[i]
	}
	if s.byName["index"] == nil {
		return nil, fmt.Errorf("there is no index.md")
	}
	if err := s.readIndex(); err != nil {
		return nil, err
	}
	for i := range s.pages {
		s.pages[i].markdown = s.closed(&s.pages[i])
	}
	return s, nil
}

// rank puts the first page first.
func rank(p page) int {
	if p.name == "index" {
		return 0
	}
	return 1
}

// readIndex reads the navigation and the summaries of the pages from the lists of index.md.
func (s *Site) readIndex() error {
	for line := range strings.Lines(s.byName["index"].markdown) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "## "); ok {
			s.sections = append(s.sections, section{Title: title})
		}
		item, ok := strings.CutPrefix(line, "- [")
		if !ok {
			continue
		}
		title, rest, _ := strings.Cut(item, "](")
		to, summary, ok := strings.Cut(rest, "): ")
		p := s.byName[strings.TrimSuffix(to, ".md")]
		if !ok || p == nil || len(s.sections) == 0 {
			return fmt.Errorf("index.md: %q is no link to a page with a summary, below a heading", line)
		}
		p.summary, p.title = summary, title
		last := &s.sections[len(s.sections)-1]
		last.Pages = append(last.Pages, p)
	}
	api := s.byName["reference/index"]
	s.sections = slices.Insert(s.sections, min(1, len(s.sections)), section{Title: "Reference", Pages: []*page{api}})
	return nil
}

// closed returns the Markdown of a page, in which links to files that the site does not have are
// text. Notes for tests are left out.
func (s *Site) closed(p *page) string {
	fenced := false
	var b strings.Builder
	for line := range strings.Lines(p.markdown) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		if !fenced && strings.HasPrefix(line, "<!-- ") {
			continue
		}
		if !fenced {
			line = markdownLink.ReplaceAllStringFunc(line, func(link string) string {
				m := markdownLink.FindStringSubmatch(link)
				if _, ok := s.target(p, m[2]); ok {
					return link
				}
				return m[1]
			})
		}
		b.WriteString(line)
	}
	return b.String()
}

// target returns where a link of a page leads on the site, relative to the page. Links that leave
// the site stay.
func (s *Site) target(p *page, to string) (address string, ok bool) {
	file, fragment, _ := strings.Cut(to, "#")
	if file == "" || strings.HasPrefix(to, "https://") || strings.HasPrefix(to, "http://") {
		return to, true
	}
	name, isPage := strings.CutSuffix(file, ".md")
	whole := path.Join(path.Dir(p.name), name)
	if !isPage || s.byName[whole] == nil {
		return to, !isPage && s.hasFile(path.Join(path.Dir(p.name), file))
	}
	if fragment != "" {
		fragment = "#" + fragment
	}
	return name + ".html" + fragment, true
}

// hasFile reports whether the site has a file that is no page.
func (s *Site) hasFile(name string) bool {
	_, ok := others()[name]
	return ok
}

// others has the files that are no pages.
func others() map[string]func(*Site) []byte {
	list := map[string]func(*Site) []byte{
		"llms.txt":               func(s *Site) []byte { return []byte(s.llms("")) },
		"llms-full.txt":          (*Site).llmsFull,
		"openapi.yaml":           func(*Site) []byte { return openapi.Document },
		"example.yaml":           func(*Site) []byte { return docs.Example },
		"static/search-index.js": (*Site).searchIndex,
	}
	pictures, err := fs.Glob(docs.Pages, "pictures/*.png")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for _, name := range pictures {
		list[name] = func(*Site) []byte {
			text, err := docs.Pages.ReadFile(name)
			if err != nil {
				panic(err) // it is embedded
			}
			return text
		}
	}
	for _, name := range []string{"docs.css", "docs.js", "icon.svg"} {
		list["static/"+name] = func(*Site) []byte {
			text, err := static.ReadFile("static/" + name)
			if err != nil {
				panic(err) // it is embedded
			}
			return text
		}
	}
	return list
}

// Names returns the names of all files, sorted.
func (s *Site) Names() []string {
	var names []string
	for name := range others() {
		names = append(names, name)
	}
	for _, p := range s.pages {
		names = append(names, p.name+".html", p.name+".md")
	}
	slices.Sort(names)
	return names
}

// File returns a file of the site by its name. Callers must not modify it.
func (s *Site) File(name string) (text []byte, ok bool) {
	if made, ok := s.made.Load(name); ok {
		return made.([]byte), true
	}
	if text, ok = s.make(name); ok {
		s.made.Store(name, text)
	}
	return text, ok
}

// make makes a file of the site.
func (s *Site) make(name string) (text []byte, ok bool) {
	if content := others()[name]; content != nil {
		return content(s), true
	}
	base, ending := strings.TrimSuffix(name, path.Ext(name)), path.Ext(name)
	p := s.byName[base]
	switch {
	case p == nil:
		return nil, false
	case ending == ".md":
		return []byte(p.markdown), true
	case ending == ".html":
		var b bytes.Buffer
		if err := s.write(&b, p); err != nil {
			panic(err) // the templates are part of the program, and a test makes all pages
		}
		return b.Bytes(), true
	}
	return nil, false
}

// render returns a page as HTML.
func (s *Site) render(p *page) markdown.Page {
	return markdown.Render([]byte(p.markdown), markdown.Options{
		Link:  func(to string) (string, bool) { return s.target(p, to) },
		Block: block,
	})
}
