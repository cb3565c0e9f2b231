package docsite

import (
	"embed"
	"fmt"
	"html"
	"html/template"
	"io"
	"regexp"
	"strings"

	"cohort.example/cohort/internal/markdown"
)

//go:embed page.html
var pageFile embed.FS

var layout = template.Must(template.New("page.html").ParseFS(pageFile, "page.html"))

// markdownLink is a link in Markdown with its text and its destination.
var markdownLink = regexp.MustCompile(`\[([^\]\[]+)\]\(([^)\s]+)\)`)

// searchText is the page that shows what the search finds.
const searchText = `# Search

The search needs JavaScript. It runs in your browser and asks no other server. Without it, the [first page](index.md) lists all pages, the [API reference](reference/index.md) all operations, and [llms-full.txt](llms-full.txt) has everything in one file.
`

// view is what the layout shows.
type view struct {
	Root     string // leads from the page to the first folder
	Title    string
	Summary  string
	Name     string
	Body     template.HTML
	Contents []markdown.Section
	Sections []viewSection
	Search   bool
}

type viewSection struct {
	Title string
	Links []viewLink
}

type viewLink struct {
	Title, Path string
	Current     bool
}

// minContents is the number of headings from which a page has a list of them.
const minContents = 4

// write writes a page as HTML.
func (s *Site) write(w io.Writer, p *page) error {
	rendered := s.render(p)
	v := view{Root: strings.Repeat("../", strings.Count(p.name, "/")), Title: p.title, Summary: p.summary, Name: p.name, Search: p.name == "search"}
	v.Body = template.HTML(marks(string(rendered.HTML))) //nolint:gosec // the text is part of the program
	for _, part := range rendered.Sections {
		if part.Level == 2 {
			v.Contents = append(v.Contents, part)
		}
	}
	if len(v.Contents) < minContents || p.name == "index" {
		v.Contents = nil
	}
	for _, part := range s.sections {
		list := viewSection{Title: part.Title}
		for _, other := range part.Pages {
			list.Links = append(list.Links, viewLink{other.title, v.Root + other.name + ".html", isBelow(p, other)})
		}
		v.Sections = append(v.Sections, list)
	}
	return layout.Execute(w, v)
}

// isBelow reports whether the navigation marks another page for a page: the page itself, or the
// list that the page belongs to.
func isBelow(p, other *page) bool {
	return p == other || p.reference && other.name == "reference/index" || strings.HasPrefix(p.name, "decisions/") && other.name == "decisions/README"
}

// mark is a mark of evidence, in brackets.
var mark = regexp.MustCompile(`\[((?:[^\[\]<]*?)\b(doc|seen|ours)\b[^\[\]<]*)\]`)

// marks puts the marks of evidence of a page into elements of their own.
func marks(text string) string {
	parts := strings.Split(text, "<pre")
	for i, part := range parts {
		code, rest := "", part
		if i > 0 {
			before, after, _ := strings.Cut(part, "</pre>")
			code, rest = before+"</pre>", after
		}
		parts[i] = code + mark.ReplaceAllString(rest, `<span class="evidence $2">[$1]</span>`)
	}
	return strings.Join(parts, "<pre")
}

// block returns the HTML of a fenced block.
func block(language, text string) string {
	if language == "diagram" {
		d, err := parseDiagram(text)
		if err != nil {
			panic(err) // the texts are part of the program, and tests read them
		}
		return d.svg()
	}
	return fmt.Sprintf("<pre class=\"copy\" tabindex=\"0\"><code class=\"language-%s\">%s</code></pre>\n", html.EscapeString(language), html.EscapeString(text))
}
